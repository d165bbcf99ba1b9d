"""What is published is signed, and cosign's own commands find it."""

import json
from collections.abc import Sequence
from functools import partial

import pytest

from pipeline.build.inputs import Build
from pipeline.errors import SigningError
from pipeline.registry.address import Reference
from pipeline.registry.registry import Registry
from pipeline.release.push import Candidate, push_release
from pipeline.signing.attestation import Attestation
from pipeline.signing.sign import open_signing, sign_images
from tests.publish.conftest import Maker, digests, of
from tests.trust.signing import ATTESTATIONS, TAGS, KeyPair, Program, digest_tag, publish_signed, reference

#: Where no transparency log is reached.
CLOSED = "--insecure-ignore-tlog=true"


@pytest.fixture
async def published(workbench: Build, registry: Registry, release: Maker, keys: KeyPair) -> list[Candidate]:
    """A signed release in the test's place of the registry."""
    images = release()
    await publish_signed(workbench, registry, images, keys.signer)
    return images


async def test_cosign_verifies_every_image(
    published: list[Candidate], registry: Registry, cosign: Program, keys: KeyPair
) -> None:
    for image in published:
        done = cosign("verify", "--key", keys.public, CLOSED, str(reference(registry, image)))
        assert done.returncode == 0, done.stderr
        (claim,) = json.loads(done.stdout)
        assert claim["critical"]["identity"]["docker-reference"] == f"{registry.address}/{image.name}"


async def test_cosign_verifies_every_attestation(
    published: list[Candidate], registry: Registry, cosign: Program, keys: KeyPair
) -> None:
    for image in published:
        for attestation in ATTESTATIONS:
            target = str(reference(registry, image))
            done = cosign("verify-attestation", "--key", keys.public, CLOSED, "--type", attestation.type, target)
            assert done.returncode == 0, done.stderr


async def test_signing_again_leaves_one_signature_and_one_attestation_of_a_type(
    published: list[Candidate], registry: Registry, workbench: Build, keys: KeyPair
) -> None:
    await publish_signed(workbench, registry, published, keys.signer)
    for image in published:
        for suffix, count in (("sig", 1), ("att", len(ATTESTATIONS))):
            manifest = await registry.repository(image.name).manifest(digest_tag(image.digest, suffix))
            assert manifest
            assert len(manifest.layers) == count


async def test_a_release_that_lost_its_signatures_gets_them_by_the_same_command(
    registry: Registry, release: Maker, workbench: Build, keys: KeyPair, cosign: Program
) -> None:
    images = release()
    await push_release(registry, TAGS, images)
    await publish_signed(workbench, registry, images, keys.signer)
    done = cosign("verify", "--key", keys.public, CLOSED, str(reference(registry, images[0])))
    assert done.returncode == 0, done.stderr


async def test_no_tag_names_an_image_before_all_are_signed(
    registry: Registry, release: Maker, workbench: Build, keys: KeyPair
) -> None:
    images = release()
    signing = await open_signing(workbench, registry, keys.signer)

    async def sign(references: Sequence[Reference]) -> None:
        await sign_images(signing, references, {})
        assert await digests(registry, TAGS.version) == {}

    await push_release(registry, TAGS, images, sign=sign)
    assert await digests(registry, TAGS.version) == of(images)


async def test_an_image_that_cannot_be_signed_leaves_every_tag_as_it_was(
    registry: Registry, release: Maker, workbench: Build, keys: KeyPair
) -> None:
    images = release()
    signing = await open_signing(workbench, registry, keys.signer)
    broken = Attestation("cyclonedx", b"no JSON")
    # What follows succeeds, and must not hide it.
    sign = partial(sign_images, signing, attestations={images[-1].name: [broken, ATTESTATIONS[-1]]})
    with pytest.raises(
        SigningError, match=rf"cosign could not sign \S+/{images[-1].name}@sha256:.* nothing was tagged"
    ):
        await push_release(registry, TAGS, images, sign=sign)
    assert await digests(registry, TAGS.version) == {}


async def test_a_dry_run_signs_nothing(registry: Registry, release: Maker, workbench: Build, keys: KeyPair) -> None:
    signing = await open_signing(workbench, registry, keys.signer)
    await push_release(registry, TAGS, release(), dry_run=True, sign=partial(sign_images, signing, attestations={}))
    assert await registry.repository("ska-base").tags() == frozenset()
