"""What stands beside a signed image, or below it, is not taken for it: on a real registry, with the real cosign."""

import pytest

from pipeline.build.inputs import Build
from pipeline.errors import RegistryError
from pipeline.registry.manifest import IMAGE, Descriptor, Manifest
from pipeline.registry.registry import Registry
from pipeline.release.push import Candidate
from tests.publish.conftest import Maker
from tests.publish.documents import entry, push_image, push_index
from tests.publish.small_release import layer
from tests.registry import free_address
from tests.trust.attested import complete
from tests.trust.signing import KeyPair, publish_signed
from tests.trust.test_signature import STAND_IN, findings, images, refused

__all__ = ["images"]  # a fixture


async def test_an_index_is_refused_whatever_it_has_beside_the_signed_image(
    workbench: Build, registry: Registry, images: list[Candidate], keys: KeyPair
) -> None:
    attestations = complete(images[:1], registry.address, base=STAND_IN)
    await publish_signed(workbench, registry, images[:1], keys.signer, attestations)
    signed = await registry.repository("ska-base").manifest(images[0].digest)
    assert signed
    own = {"mediaType": IMAGE, "digest": signed.digest, "size": len(signed.raw)}
    other = await push_image(registry, "ska-base", [layer({"usr/bin/evil": b"evil"})])
    platforms = {"os": "linux", "architecture": "amd64"}, {"os": "", "architecture": ""}
    index = push_index(registry, "ska-base", [entry(other, platforms[0]), entry(own, platforms[1])], "1.0.0")
    for name in ("ska-base:1.0.0", f"ska-base@{index['digest']}", f"ska-base:1.0.0@{index['digest']}"):
        with pytest.raises(RegistryError, match="is an index, from which each client chooses an image"):
            await findings(workbench, registry, keys.trusted, name)


async def test_the_parent_is_the_one_that_the_signed_provenance_names(
    workbench: Build, registry: Registry, release: Maker, keys: KeyPair
) -> None:
    # The annotation would tell as well, and releases of earlier versions lack it.
    images = release(base=STAND_IN, annotations={"ska-build": {"org.opencontainers.image.base.digest": ""}})
    attestations = complete(images[:2], registry.address, base=STAND_IN)
    await publish_signed(workbench, registry, images[:2], keys.signer, attestations)
    found = await findings(workbench, registry, keys.trusted, "ska-build:1.0.0", ("lineage", "base"))
    assert found == {
        "lineage": (True, "ska-build is built on ska-base"),
        "base": (True, f"{STAND_IN}, a stand-in, which you allowed"),
    }
    # Its layers are the first of ska-build as well.
    like = dict(await registry.repository("ska-base").document((await _manifest(registry, images[0])).config))
    layers = [await _content(registry, one) for one in (await _manifest(registry, images[0])).layers]
    await push_image(registry, "ska-base", layers, {**like, "author": "another"}, tag="1.0.0")
    message = await refused(workbench, registry, keys.trusted, "ska-build:1.0.0")
    assert (
        f"FAILED        lineage       the signed provenance of ska-build names ska-base@{images[0].digest}" in message
    )


async def _manifest(registry: Registry, image: Candidate) -> Manifest:
    manifest = await registry.repository(image.name).manifest(image.digest)
    assert manifest
    return manifest


async def _content(registry: Registry, layer: Descriptor) -> bytes:
    return await registry.repository("ska-base").consume(layer, lambda chunks: b"".join(chunks))


async def test_a_base_that_nobody_serves_is_what_the_signed_provenance_names(
    workbench: Build, registry: Registry, release: Maker, keys: KeyPair
) -> None:
    gone = f"{free_address()}/ubuntu:22.04@sha256:{'b' * 64}"
    only = release(base=gone)[:1]
    await publish_signed(workbench, registry, only, keys.signer, complete(only, registry.address, base=gone))
    found = await findings(workbench, registry, keys.trusted, facts=("base", "attestations"))
    assert found["attestations"][0]
    is_verified, message = found["base"]
    assert is_verified
    assert message.startswith(f"the signed provenance names {gone}; its layers could not be compared: The registry")


async def test_a_base_that_the_signed_provenance_does_not_name_is_refused(
    workbench: Build, registry: Registry, images: list[Candidate], keys: KeyPair
) -> None:
    other = f"ubuntu:22.04@sha256:{'c' * 64}"
    attestations = complete(images[:1], registry.address, base=other)
    await publish_signed(workbench, registry, images[:1], keys.signer, attestations)
    message = await refused(workbench, registry, keys.trusted)
    assert f"its provenance is not valid: its base is '{other}', but '{STAND_IN}' in the image" in message
