"""A release that is promoted is signed again under its new name, and only when its signatures hold."""

import re

import pytest

from pipeline.build.inputs import Build
from pipeline.errors import SettingsError, VerificationError
from pipeline.evidence.results import OF_A_RELEASE
from pipeline.registry.address import parse_address
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.login import Login
from pipeline.release.promote import Side, promote
from pipeline.release.push import Candidate, push_release
from pipeline.release.resign import Resigning, parse_resigning
from pipeline.signing.both_kinds import SignerPair
from pipeline.signing.signature import Trusted
from pipeline.signing.signer import Signer
from tests.built_images import LINE
from tests.publish.conftest import NOBODY, Maker, digests, of
from tests.publish.small_release import BASE
from tests.trust.attested import complete, signed_as, statements
from tests.trust.signing import TAGS, KeyPair, Program, publish_signed, reference, replay
from tests.trust.test_sign import CLOSED


@pytest.fixture
def images(release: Maker) -> list[Candidate]:
    """A release, not yet published."""
    return release()


def by(keys: KeyPair, workbench: Build, trusted: Trusted | None = None) -> Resigning:
    """Return how a release is signed again with a key."""

    async def build() -> Build:
        return workbench

    return Resigning(SignerPair(keys.signer), trusted, build)


async def promoted(registry: Registry, target: str, resigning: Resigning) -> None:
    """Promote the release, and have it signed again."""
    sides = Side(str(registry.address), Login()), Side(target, Login())
    await promote("1.0.0", [LINE], *sides, dry_run=False, allow_stand_in_base=False, resigning=resigning)


async def test_cosign_finds_all_under_the_new_name(
    workbench: Build,
    registry: Registry,
    images: list[Candidate],
    production: str,
    path: str,
    keys: KeyPair,
    cosign: Program,
) -> None:
    target = f"{production}/{path}"
    await publish_signed(workbench, registry, images, keys.signer, complete(images, registry.address, base=BASE))
    await promoted(registry, target, by(keys, workbench))
    for image in images:
        name = f"{target}/{image.name}@{image.digest}"
        done = cosign("verify", "--key", keys.public, CLOSED, "--output", "json", name)
        assert f'"docker-reference":"{target}/{image.name}"' in done.stdout, done.stderr
        for type_ in OF_A_RELEASE:
            done = cosign("verify-attestation", "--key", keys.public, CLOSED, "--type", type_, name)
            assert done.returncode == 0, done.stderr


async def test_another_key_signs_what_the_first_one_signed(
    workbench: Build,
    registry: Registry,
    images: list[Candidate],
    production: str,
    path: str,
    keys: KeyPair,
    other_keys: KeyPair,
    cosign: Program,
) -> None:
    await publish_signed(workbench, registry, images, other_keys.signer, complete(images, registry.address, base=BASE))
    await promoted(registry, f"{production}/{path}", by(keys, workbench, other_keys.trusted))
    done = cosign("verify", "--key", keys.public, CLOSED, f"{production}/{path}/ska-base@{images[0].digest}")
    assert done.returncode == 0, done.stderr


async def refused(registry: Registry, target: str, resigning: Resigning) -> str:
    """Promote, and return why that is refused; nothing is tagged then."""
    with pytest.raises(VerificationError) as caught:
        await promoted(registry, target, resigning)
    async with open_registry(parse_address(target), NOBODY) as opened:
        assert await digests(opened, "1.0.0") == {}
    return str(caught.value)


async def test_what_was_not_signed_is_not_signed_again(
    workbench: Build, registry: Registry, images: list[Candidate], production: str, path: str, keys: KeyPair
) -> None:
    await push_release(registry, TAGS, images)
    message = await refused(registry, f"{production}/{path}", by(keys, workbench))
    assert "is not signed again, because its attestations are not valid (cosign verify: no signatures" in message


async def test_a_final_version_whose_attestations_are_gone_is_not_signed_again(
    workbench: Build, registry: Registry, images: list[Candidate], production: str, path: str, keys: KeyPair
) -> None:
    attestations = complete(images, registry.address, base=BASE)
    await publish_signed(workbench, registry, images, keys.signer, {**attestations, "ska-base": []})
    message = await refused(registry, f"{production}/{path}", by(keys, workbench))
    assert "it has no attestation of type https://slsa.dev/provenance/v1, which a final version requires" in message


async def test_a_final_version_without_the_result_of_its_audit_is_not_signed_again(
    workbench: Build, registry: Registry, images: list[Candidate], production: str, path: str, keys: KeyPair
) -> None:
    # That of the checks has the same type, and is there.
    attestations = complete(images, registry.address, base=BASE)
    kinds = statements(images, registry.address, base=BASE)["ska-base"]
    attestations["ska-base"] = [signed_as(one) for kind, one in kinds.items() if kind != "audit"]
    await publish_signed(workbench, registry, images, keys.signer, attestations)
    message = await refused(registry, f"{production}/{path}", by(keys, workbench))
    assert re.search(
        r"/ska-base@\S+ is not signed again, .* \(its test result is not valid: there must be one of the checks",
        message,
    )


async def test_a_release_that_failed_a_gate_is_not_signed_again(
    workbench: Build, registry: Registry, images: list[Candidate], production: str, path: str, keys: KeyPair
) -> None:
    attestations = complete(images, registry.address, base=BASE, is_hard=False)
    await publish_signed(workbench, registry, images, keys.signer, attestations)
    message = await refused(registry, f"{production}/{path}", by(keys, workbench))
    assert "its test result is not valid: the audit ended with 'FAILED': xccdf_rule" in message


async def test_a_provenance_that_names_another_parent_is_not_signed_again(
    workbench: Build,
    registry: Registry,
    images: list[Candidate],
    release: Maker,
    production: str,
    path: str,
    keys: KeyPair,
) -> None:
    others = release(files={"ska-base": {"new": b"new"}})
    attestations = complete([others[0], *images[1:]], registry.address, base=BASE)
    own = complete(images, registry.address, base=BASE)
    await publish_signed(workbench, registry, images, keys.signer, {**attestations, "ska-base": own["ska-base"]})
    message = await refused(registry, f"{production}/{path}", by(keys, workbench))
    assert f"its provenance names ska-base@{others[0].digest}, but the release has {images[0].digest}" in message


async def test_what_somebody_else_signed_is_not_signed_again(
    workbench: Build,
    registry: Registry,
    images: list[Candidate],
    production: str,
    path: str,
    keys: KeyPair,
    other_keys: KeyPair,
) -> None:
    await publish_signed(workbench, registry, images, other_keys.signer, complete(images, registry.address, base=BASE))
    message = await refused(registry, f"{production}/{path}", by(keys, workbench))
    assert "are not valid (cosign verify: no matching signatures" in message


async def test_what_was_attested_of_another_release_is_not_signed_again(
    workbench: Build,
    registry: Registry,
    images: list[Candidate],
    release: Maker,
    production: str,
    path: str,
    keys: KeyPair,
) -> None:
    others = release(files={"ska-base": {"new": b"new"}})
    await publish_signed(workbench, registry, others, keys.signer, complete(others, registry.address, base=BASE))
    await publish_signed_as(registry, workbench, images, keys)
    await replay(registry, reference(registry, others[0]), reference(registry, images[0]), "att")
    message = await refused(registry, f"{production}/{path}", by(keys, workbench))
    assert "are not valid (cosign verify-attestation: no matching attestations" in message


async def publish_signed_as(registry: Registry, workbench: Build, images: list[Candidate], keys: KeyPair) -> None:
    """Publish in the place of a release that is there."""
    for image in images:
        repository = registry.repository(image.name)
        async with image.content() as content:
            for blob in content.manifest.blobs:
                await repository.push_blob(blob, content.blobs[blob.digest])
            await repository.push_manifest("1.0.0", content.manifest)
    attestations = complete(images, registry.address, base=BASE)
    await publish_signed(workbench, registry, images, keys.signer, {**attestations, "ska-base": []})


async def test_without_a_key_nobody_knows_who_signed_before(
    workbench: Build, registry: Registry, images: list[Candidate], production: str, path: str, keys: KeyPair
) -> None:
    await publish_signed(workbench, registry, images, keys.signer, complete(images, registry.address, base=BASE))
    signer = Signer(identity_token=keys.signer.password)
    resigning = Resigning(SignerPair(signer), None, by(keys, workbench).build)
    with pytest.raises(SettingsError, match="give their signer with --from-key FILE, or with --from-identity"):
        await promoted(registry, f"{production}/{path}", resigning)


async def test_whose_signatures_count_is_not_said_in_vain(workbench: Build, keys: KeyPair) -> None:
    with pytest.raises(SettingsError, match="give --key too, or leave out --from-key"):
        parse_resigning(Signer(), keys.trusted, by(keys, workbench).build)


async def test_a_release_that_nobody_signs_is_copied_as_it_is(
    workbench: Build, registry: Registry, images: list[Candidate], production: str, path: str, keys: KeyPair
) -> None:
    assert parse_resigning(Signer(), Trusted(), by(keys, workbench).build) is None
    await push_release(registry, TAGS, images)
    sides = Side(str(registry.address), Login()), Side(f"{production}/{path}", Login())
    await promote("1.0.0", [LINE], *sides, dry_run=False, allow_stand_in_base=False)
    async with open_registry(parse_address(f"{production}/{path}"), NOBODY) as target:
        assert await digests(target, "1.0.0") == of(images)
