"""What a consumer's key does not vouch for is refused, on a real registry, with the real cosign."""

import json
from collections.abc import Collection
from functools import partial

import pytest

from pipeline.build.inputs import Build
from pipeline.errors import SettingsError, VerificationError
from pipeline.evidence.results import OF_A_RELEASE
from pipeline.registry.registry import Registry
from pipeline.release.login import Login
from pipeline.release.push import Candidate, push_release, set_tag
from pipeline.release.tags import Tags
from pipeline.release.verify import verify
from pipeline.signing.sign import open_signing, sign_images
from pipeline.signing.signature import Trusted, parse_trusted
from tests.publish.conftest import Maker
from tests.publish.test_verify import NOW
from tests.trust.attested import complete
from tests.trust.signing import TAGS, KeyPair, Program, file, publish_signed, reference, replay
from tests.trust.test_sign import CLOSED

FACTS = ("signature", "attestations")
STAND_IN = "bootstrap:debian-12"


@pytest.fixture
def images(release: Maker, registry: Registry) -> list[Candidate]:
    """A release, not yet published."""
    return release(base=STAND_IN)


async def findings(
    workbench: Build,
    registry: Registry,
    trusted: Trusted,
    name: str = "ska-base:1.0.0",
    facts: Collection[str] = FACTS,
) -> dict[str, tuple[bool, str]]:
    """Verify an image, and return what was found of some facts: whether each holds, and the sentence."""

    async def build() -> Build:
        return workbench

    document = json.loads(
        await verify(
            f"{registry.address}/{name}", Login(), allow_stand_in_base=True, trusted=trusted, build=build, now=NOW
        )
    )
    return {fact["name"]: (fact["verified"], fact["message"]) for fact in document["facts"] if fact["name"] in facts}


async def refused(workbench: Build, registry: Registry, trusted: Trusted, name: str = "ska-base:1.0.0") -> str:
    """Return why an image is refused."""
    with pytest.raises(VerificationError) as caught:
        await findings(workbench, registry, trusted, name)
    return str(caught.value)


async def test_what_is_signed_is_verified(
    workbench: Build, registry: Registry, images: list[Candidate], keys: KeyPair
) -> None:
    await publish_signed(
        workbench, registry, images[:1], keys.signer, complete(images[:1], registry.address, base=STAND_IN)
    )
    assert await findings(workbench, registry, keys.trusted) == {
        "signature": (True, f"signed as {registry.address}/ska-base"),
        "attestations": (True, f"signed, and all gates passed: {', '.join(sorted(OF_A_RELEASE))}"),
    }


async def test_a_final_version_of_which_something_is_not_attested_is_refused(
    workbench: Build, registry: Registry, images: list[Candidate], keys: KeyPair
) -> None:
    await publish_signed(workbench, registry, images[:1], keys.signer)
    message = await refused(workbench, registry, keys.trusted)
    missing = "it has no attestation of type https://slsa.dev/provenance/v1, which a final version requires"
    assert f"FAILED        attestations  {missing}" in message


async def test_a_signed_result_that_failed_is_refused(
    workbench: Build, registry: Registry, images: list[Candidate], keys: KeyPair
) -> None:
    attestations = complete(images[:1], registry.address, base=STAND_IN, is_right=False)
    await publish_signed(workbench, registry, images[:1], keys.signer, attestations)
    message = await refused(workbench, registry, keys.trusted)
    sentence = "its test result is not valid: the checks ended with 'FAILED': security-updates"
    assert f"FAILED        attestations  {sentence}" in message


async def test_a_pre_release_of_which_nothing_is_attested_is_not_verified_in_that(
    workbench: Build, registry: Registry, release: Maker, keys: KeyPair
) -> None:
    images = release(base=STAND_IN, version="1.0.0-rc.1")[:1]
    signing = await open_signing(workbench, registry, keys.signer)
    sign = partial(sign_images, signing, attestations={})
    await push_release(registry, Tags("1.0.0-rc.1"), images, sign=sign)
    found = await findings(workbench, registry, keys.trusted, "ska-base:1.0.0-rc.1")
    assert found["signature"][0]
    assert found["attestations"] == (
        False,
        "it has no attestations: a pre-release may be published without the gates",
    )


async def test_without_a_key_nothing_is_said_to_be_verified(
    workbench: Build, registry: Registry, images: list[Candidate], keys: KeyPair
) -> None:
    await publish_signed(workbench, registry, images[:1], keys.signer)
    message = await refused(workbench, registry, Trusted())
    sentence = "no trusted key or identity was given; give --key FILE, or --identity and --issuer"
    assert "is a final version, but not every fact is verified (signature, attestations)" in message
    assert [line.split()[2] for line in message.splitlines() if sentence in line] == list(FACTS)


async def test_a_pre_release_is_shown_without_a_key_with_what_is_not_verified(
    workbench: Build, registry: Registry, release: Maker
) -> None:
    await push_release(registry, Tags("1.0.0-rc.1"), release(base=STAND_IN, version="1.0.0-rc.1")[:1])
    found = await findings(workbench, registry, Trusted(), "ska-base:1.0.0-rc.1")
    assert {name: holds for name, (holds, _) in found.items()} == dict.fromkeys(FACTS, False)


async def test_an_image_without_a_signature_is_refused(
    workbench: Build, registry: Registry, images: list[Candidate], keys: KeyPair
) -> None:
    await push_release(registry, TAGS, images[:1])
    assert "FAILED        signature     cosign verify: no signatures found" in await refused(
        workbench, registry, keys.trusted
    )


async def test_a_signature_by_another_key_is_refused(
    workbench: Build, registry: Registry, images: list[Candidate], keys: KeyPair, other_keys: KeyPair
) -> None:
    attestations = complete(images[:1], registry.address, base=STAND_IN)
    await publish_signed(workbench, registry, images[:1], other_keys.signer, attestations)
    message = await refused(workbench, registry, keys.trusted)
    for fact in ("signature     cosign verify", "attestations  cosign verify-attestation"):
        assert f"FAILED        {fact}: no matching" in message


async def test_a_signature_of_another_repository_is_refused_which_cosign_takes(
    workbench: Build, registry: Registry, images: list[Candidate], keys: KeyPair, cosign: Program
) -> None:
    base = images[0]
    attestations = complete(images[:1], registry.address, base=STAND_IN)
    await publish_signed(workbench, registry, images[:1], keys.signer, attestations)
    # The image itself under another name, and what was signed of it beside it.
    elsewhere = Candidate("ska-python", None, base.digest, base.content)
    await push_release(registry, TAGS, [elsewhere])
    for suffix in ("sig", "att"):
        await replay(registry, reference(registry, base), reference(registry, elsewhere), suffix)
    done = cosign("verify", "--key", keys.public, CLOSED, str(reference(registry, elsewhere)))
    assert done.returncode == 0, done.stderr
    message = await refused(workbench, registry, keys.trusted, "ska-python:1.0.0")
    own, other = f"{registry.address}/ska-base", f"{registry.address}/ska-python"
    assert f"FAILED        signature     its signature is for {own}, but it was found as {other}" in message
    assert f"it is about {own}@" in message and f"and not about {other} alone" in message


async def test_a_tag_that_moved_after_the_signature_is_refused(
    workbench: Build, registry: Registry, images: list[Candidate], release: Maker, keys: KeyPair
) -> None:
    await publish_signed(workbench, registry, images[:1], keys.signer)
    changed = release(base=STAND_IN, files={"ska-base": {"usr/bin/login": b"changed"}})[0]
    repository = registry.repository("ska-base")
    async with changed.content() as content:
        for blob in content.manifest.blobs:
            await repository.push_blob(blob, content.blobs[blob.digest])
        await repository.push_manifest("1.0.0", content.manifest)
    assert "FAILED        signature     cosign verify: no signatures found" in await refused(
        workbench, registry, keys.trusted
    )


async def test_what_was_signed_of_another_digest_is_refused(
    workbench: Build, registry: Registry, images: list[Candidate], release: Maker, keys: KeyPair
) -> None:
    attestations = complete(images[:1], registry.address, base=STAND_IN)
    await publish_signed(workbench, registry, images[:1], keys.signer, attestations)
    changed = release(base=STAND_IN, version="1.0.1", files={"ska-base": {"usr/bin/login": b"new"}})[0]
    await push_release(registry, TAGS.__class__("1.0.1"), [changed])
    for suffix in ("sig", "att"):
        await replay(registry, reference(registry, images[0]), reference(registry, changed), suffix)
    message = await refused(workbench, registry, keys.trusted, "ska-base:1.0.1")
    for fact in ("signature     cosign verify", "attestations  cosign verify-attestation"):
        assert f"FAILED        {fact}: no matching" in message


async def test_an_image_is_verified_by_each_of_its_tags(
    workbench: Build, registry: Registry, release: Maker, keys: KeyPair
) -> None:
    images = release(base=STAND_IN, extra_tags=("stable",))
    attestations = complete(images, registry.address, base=STAND_IN, extra_tags=("stable",))
    await publish_signed(workbench, registry, images, keys.signer, attestations)
    await set_tag(registry.repository("ska-python"), "stable", images[-1].digest)
    found = await findings(workbench, registry, keys.trusted, "ska-python:stable")
    assert [holds for holds, _ in found.values()] == [True, True]


def test_an_identity_is_that_of_a_certificate() -> None:
    identity = "https://gitlab.com/ska-telescope/ska-base-images//.gitlab-ci.yml@refs/tags/1.2.3"
    trusted = Trusted(identity=identity, issuer="https://gitlab.com")
    assert parse_trusted(trusted) == trusted
    assert trusted.arguments == (
        *("--certificate-identity", identity),
        *("--certificate-oidc-issuer", "https://gitlab.com"),
    )


@pytest.mark.parametrize("half", [Trusted(identity="me"), Trusted(issuer="https://gitlab.com")])
def test_half_an_identity_is_refused(half: Trusted) -> None:
    with pytest.raises(SettingsError, match="give both --identity and --issuer"):
        parse_trusted(half)


async def test_a_key_and_an_identity_are_refused(workbench: Build, keys: KeyPair) -> None:
    with pytest.raises(SettingsError, match="Give either --key or --identity"):
        parse_trusted(Trusted(file(keys.public), "me", "https://gitlab.com"))


def test_nobody_is_trusted_without_a_word() -> None:
    assert parse_trusted(Trusted()) is None
