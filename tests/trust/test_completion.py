"""A signed release that broke off: its record counts only as far as the images that it names are signed."""

import pytest

from pipeline.build.inputs import Build
from pipeline.registry.registry import Registry
from pipeline.release.completion import Completion, find_completion
from pipeline.release.push import Candidate, push_release
from pipeline.release.release_record import ReleaseRecord, write_record
from pipeline.release.tags import Tags
from pipeline.signing.both_kinds import Signatories
from pipeline.signing.notation_sign import open_notation_signing
from pipeline.signing.sign import open_signing, sign_images
from pipeline.signing.signer import Signer
from tests.publish.conftest import Maker
from tests.trust.attested import complete
from tests.trust.authority import Issued
from tests.trust.signing import TAGS, KeyPair, reference

STAND_IN = "bootstrap:debian-12"
INPUTS = "sha256:" + "1" * 64


@pytest.fixture
async def begun(registry: Registry, release: Maker) -> list[Candidate]:
    """A release that has a record, and one of its tags."""
    images = release(base=STAND_IN)
    await push_release(registry, Tags("0.0.1"), images)
    record = ReleaseRecord("1.0.0", INPUTS, {image.name: image.digest for image in images})
    await write_record(registry.repository("ska-base"), images[0].digest, record)
    await push_release(registry, TAGS, images[:1])
    return images


async def found(workbench: Build, registry: Registry, signer: Signer) -> Completion:
    """Look for the release, to sign it."""
    signing = Signatories(await open_signing(workbench, registry, signer))
    return await find_completion(registry, TAGS, INPUTS, workbench, signing)


async def test_images_that_are_signed_and_attested_are_completed(
    workbench: Build, registry: Registry, begun: list[Candidate], keys: KeyPair
) -> None:
    signing = await open_signing(workbench, registry, keys.signer)
    attestations = complete(begun, registry.address, base=STAND_IN)
    await sign_images(signing, [reference(registry, image) for image in begun], attestations)
    completion = await found(workbench, registry, keys.signer)
    assert completion.obstacle == ""
    assert [image.digest for image in completion.candidates] == [image.digest for image in begun]


async def test_images_that_lack_a_signature_are_not_completed(
    workbench: Build, registry: Registry, begun: list[Candidate], keys: KeyPair
) -> None:
    completion = await found(workbench, registry, keys.signer)
    assert not completion.candidates
    assert "cosign verify" in completion.obstacle


async def test_images_that_somebody_else_signed_are_not_completed(
    workbench: Build, registry: Registry, begun: list[Candidate], keys: KeyPair, other_keys: KeyPair
) -> None:
    signing = await open_signing(workbench, registry, other_keys.signer)
    await sign_images(signing, [reference(registry, image) for image in begun], {})
    assert "cosign verify" in (await found(workbench, registry, keys.signer)).obstacle


async def test_images_that_lack_an_attestation_are_not_completed(
    workbench: Build, registry: Registry, begun: list[Candidate], keys: KeyPair
) -> None:
    signing = await open_signing(workbench, registry, keys.signer)
    some = {name: every[:1] for name, every in complete(begun, registry.address, base=STAND_IN).items()}
    await sign_images(signing, [reference(registry, image) for image in begun], some)
    assert "cosign verify-attestation" in (await found(workbench, registry, keys.signer)).obstacle


async def test_images_that_lack_the_signature_of_notation_are_not_completed(
    workbench: Build, registry: Registry, begun: list[Candidate], releases: Issued
) -> None:
    signing = Signatories(notation=await open_notation_signing(workbench, registry, releases.signer))
    completion = await find_completion(registry, TAGS, INPUTS, workbench, signing)
    assert "no signature is associated" in completion.obstacle
    await signing.sign_images([reference(registry, image) for image in begun], {})
    completion = await find_completion(registry, TAGS, INPUTS, workbench, signing)
    assert [image.digest for image in completion.candidates] == [image.digest for image in begun]
