"""A release that is promoted is signed again with notation, and only when its signatures hold."""

import pytest

from pipeline.build.inputs import Build
from pipeline.errors import SettingsError, VerificationError
from pipeline.registry.address import parse_address
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.login import Login
from pipeline.release.promote import Side, promote
from pipeline.release.push import Candidate, push_release
from pipeline.release.resign import Resigning, parse_resigning
from pipeline.signing.both_kinds import SignerPair
from pipeline.signing.notation import REPOSITORY
from pipeline.signing.notation_signer import NotationSigner
from pipeline.signing.signature import Trusted
from pipeline.signing.signer import Signer
from pipeline.signing.trust_store import NotationTrust
from tests.built_images import LINE
from tests.publish.conftest import NOBODY, Maker, digests, of
from tests.publish.small_release import BASE
from tests.trust.attested import complete
from tests.trust.authority import Authority, Issued
from tests.trust.notary import Notary, publish_with_notation
from tests.trust.signing import TAGS, KeyPair, Program, publish_signed
from tests.trust.test_sign import CLOSED


@pytest.fixture
def images(release: Maker) -> list[Candidate]:
    """A release, not yet published."""
    return release()


def by(workbench: Build, signers: SignerPair, trust: NotationTrust | None = None) -> Resigning:
    """Return how a release is signed again."""

    async def build() -> Build:
        return workbench

    return Resigning(signers, None, build, trust)


async def promoted(registry: Registry, target: str, resigning: Resigning | None, *required: str) -> None:
    """Promote the release, and have it signed again."""
    sides = Side(str(registry.address), Login()), Side(target, Login())
    await promote(
        "1.0.0", [LINE], *sides, dry_run=False, allow_stand_in_base=False, resigning=resigning, required=required
    )


async def test_a_release_is_signed_with_both_under_its_new_name(
    workbench: Build,
    registry: Registry,
    images: list[Candidate],
    production: str,
    path: str,
    keys: KeyPair,
    cosign: Program,
    authority: Authority,
    releases: Issued,
    notation: Notary,
) -> None:
    target = f"{production}/{path}"
    await publish_with_notation(workbench, registry, images, releases.signer)
    await publish_signed(workbench, registry, images, keys.signer, complete(images, registry.address, base=BASE))
    signers = SignerPair(keys.signer, releases.signer)
    await promoted(registry, target, by(workbench, signers), "cosign", "notation")
    for image in images:
        name = f"{target}/{image.name}@{image.digest}"
        done = cosign("verify", "--key", keys.public, CLOSED, "--output", "json", name)
        assert f'"docker-reference":"{target}/{image.name}"' in done.stdout, done.stderr
        claim = ("--user-metadata", f"{REPOSITORY}={target}/{image.name}")
        identity = f"x509.subject: {releases.identity}"
        done = notation.verify(authority.root.certificate, identity, *claim, name)
        assert done.returncode == 0, done.stderr


async def refused(registry: Registry, target: str, resigning: Resigning) -> str:
    """Promote, and return why that is refused; nothing is tagged then."""
    with pytest.raises(VerificationError) as caught:
        await promoted(registry, target, resigning)
    async with open_registry(parse_address(target), NOBODY) as opened:
        assert await digests(opened, "1.0.0") == {}
    return str(caught.value)


async def test_what_was_not_signed_with_notation_is_not_signed_again(
    workbench: Build, registry: Registry, images: list[Candidate], production: str, path: str, releases: Issued
) -> None:
    await push_release(registry, TAGS, images)
    message = await refused(registry, f"{production}/{path}", by(workbench, SignerPair(None, releases.signer)))
    assert "is not signed again, because its signature is not valid (notation verify: " in message
    assert "no signature is associated with" in message


async def test_what_another_identity_signed_is_signed_again_if_it_is_named(
    workbench: Build,
    registry: Registry,
    images: list[Candidate],
    production: str,
    path: str,
    authority: Authority,
    releases: Issued,
) -> None:
    staging = authority.issue("Staging")
    await publish_with_notation(workbench, registry, images, staging.signer)
    signers = SignerPair(None, releases.signer)
    message = await refused(registry, f"{production}/{path}", by(workbench, signers))
    assert "or name its signer with --from-notation-root and --from-notation-identity" in message
    await promoted(registry, f"{production}/{path}", by(workbench, signers, authority.trust(staging)))
    async with open_registry(parse_address(f"{production}/{path}"), NOBODY) as target:
        assert await digests(target, "1.0.0") == of(images)


async def test_a_final_version_without_a_required_signature_is_not_copied(
    workbench: Build, registry: Registry, images: list[Candidate], production: str, path: str, releases: Issued
) -> None:
    await publish_with_notation(workbench, registry, images, releases.signer)
    signers = SignerPair(None, releases.signer)
    for resigning, kind in ((None, "notation"), (by(workbench, signers), "cosign")):
        with pytest.raises(SettingsError, match=f"A final version needs a signature of {kind} "):
            await promoted(registry, f"{production}/{path}", resigning, "notation", "cosign")
    async with open_registry(parse_address(f"{production}/{path}"), NOBODY) as target:
        assert await digests(target, "1.0.0") == {}


async def test_whose_signatures_count_is_not_named_in_vain(
    workbench: Build, authority: Authority, releases: Issued
) -> None:
    build = by(workbench, SignerPair()).build
    with pytest.raises(SettingsError, match="give --notation-key too, or leave out --from-notation-root"):
        parse_resigning(Signer(), Trusted(), build, NotationSigner(), authority.trust(releases))
    with pytest.raises(SettingsError, match="give both --from-notation-root FILE and --from-notation-identity SUBJ"):
        parse_resigning(Signer(), Trusted(), build, releases.signer, NotationTrust(identity="*"))
