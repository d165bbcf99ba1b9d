"""What an image is built on is found in its own layers, in a real registry; what a document claims is not believed."""

import gzip
import json
from collections.abc import Mapping
from typing import Any

import pytest

from pipeline.errors import VerificationError
from pipeline.registry.registry import Registry
from pipeline.release.push import push_release
from pipeline.release.tags import Tags
from tests.publish.conftest import Maker
from tests.publish.documents import entry, push_image, push_index, rootfs
from tests.publish.small_release import BOTTOM, layer
from tests.publish.test_verify import PRE_RELEASE, finding, verified

AMD64 = {"os": "linux", "architecture": "amd64"}
ARM64 = {"os": "linux", "architecture": "arm64", "variant": "v8"}
UNKNOWN = {"os": "unknown", "architecture": "unknown"}
EVIL = layer({"usr/bin/evil": b"evil"})
FAILED = "FAILED        base          the image does not begin with the layers of"


async def published_on(registry: Registry, release: Maker, digest: str) -> dict[str, Any]:
    """Publish a release on a base, and return what is verified of ska-python."""
    base = f"{registry.address}/ubuntu:22.04@{digest}"
    await push_release(registry, Tags(PRE_RELEASE.version), release(base=base, version=PRE_RELEASE.version))
    return await verified(registry, "ska-python:1.0.0-rc.1")


async def refused(registry: Registry, release: Maker, digest: str) -> str:
    """Publish a release on a base, and return why ska-python is refused."""
    with pytest.raises(VerificationError) as caught:
        await published_on(registry, release, digest)
    return str(caught.value)


async def test_a_base_that_another_engine_packed_is_known_by_its_content(registry: Registry, release: Maker) -> None:
    packed_anew = gzip.compress(gzip.decompress(BOTTOM), 1)
    assert packed_anew != BOTTOM
    base = await push_image(registry, "ubuntu", [packed_anew])
    document = await published_on(registry, release, base["digest"])
    assert finding(document, "base")[0]


async def test_a_base_that_claims_the_layers_of_the_image_over_others_is_refused(
    registry: Registry, release: Maker
) -> None:
    base = await push_image(registry, "ubuntu", [EVIL], {"rootfs": rootfs([BOTTOM])})
    assert FAILED in await refused(registry, release, base["digest"])


async def test_an_image_that_claims_the_layers_of_the_base_over_others_is_refused(
    registry: Registry, release: Maker
) -> None:
    base = await push_image(registry, "ubuntu", [BOTTOM])
    reference = f"{registry.address}/ubuntu:22.04@{base['digest']}"
    version = PRE_RELEASE.version
    await push_release(registry, Tags(version), release(base=reference, version=version))
    repository = registry.repository("ska-base")
    own = await repository.manifest(version)
    assert own
    config = dict(await repository.document(own.config))
    layers = [await repository.consume(one, lambda chunks: b"".join(chunks)) for one in own.layers]
    await push_image(registry, "ska-base", [EVIL, *layers[1:]], config, tag=version)
    with pytest.raises(VerificationError, match=r"FAILED        base +the image does not begin with the layers"):
        await verified(registry, f"ska-base:{version}")


@pytest.mark.parametrize(
    "others",
    [
        [],
        [ARM64],
        [{**AMD64, "variant": "v3"}],
        [UNKNOWN, UNKNOWN],
        [{"os": "linux", "architecture": "arm"}, {"os": "windows", "architecture": "amd64"}],
    ],
)
async def test_in_an_index_the_base_is_the_one_image_of_the_platform(
    registry: Registry, release: Maker, others: list[Mapping[str, Any]]
) -> None:
    own = entry(await push_image(registry, "ubuntu", [BOTTOM]), AMD64)
    other = await push_image(registry, "ubuntu", [EVIL])
    index = push_index(registry, "ubuntu", [*(entry(other, platform) for platform in others), own])
    assert finding(await published_on(registry, release, index["digest"]), "base")[0]


@pytest.mark.parametrize(
    "platform",
    [
        AMD64,
        {**AMD64, "variant": "v1"},
        {"os": "Linux", "architecture": "x86_64"},
        {**AMD64, "os.version": "1"},
        {"os": "", "architecture": ""},
        {"os": "linux"},
        {},
        None,
    ],
)
async def test_an_index_of_which_clients_choose_different_images_is_not_verified(
    registry: Registry, release: Maker, platform: Mapping[str, Any] | None
) -> None:
    own = entry(await push_image(registry, "ubuntu", [BOTTOM]), AMD64)
    other = entry(await push_image(registry, "ubuntu", [EVIL]), platform)
    index = push_index(registry, "ubuntu", [own, other])
    is_verified, message = finding(await published_on(registry, release, index["digest"]), "base")
    assert (
        is_verified,
        "has 2 images that a client on linux/amd64 may choose; it must have exactly one" in message,
    ) == (
        False,
        True,
    )


async def test_an_image_without_a_platform_is_not_chosen_from_an_index(registry: Registry, release: Maker) -> None:
    index = push_index(registry, "ubuntu", [entry(await push_image(registry, "ubuntu", [BOTTOM]), None)])
    assert not finding(await published_on(registry, release, index["digest"]), "base")[0]


async def test_an_index_in_an_index_is_not_followed(registry: Registry, release: Maker) -> None:
    inner = push_index(registry, "ubuntu", [entry(await push_image(registry, "ubuntu", [BOTTOM]), AMD64)])
    index = push_index(registry, "ubuntu", [entry(inner, AMD64)])
    is_verified, message = finding(await published_on(registry, release, index["digest"]), "base")
    assert (is_verified, "for linux/amd64, which is not an image" in message) == (False, True)


async def test_a_base_for_another_platform_is_not_verified(registry: Registry, release: Maker) -> None:
    base = await push_image(registry, "ubuntu", [BOTTOM], {"architecture": "arm64"})
    is_verified, message = finding(await published_on(registry, release, base["digest"]), "base")
    assert (is_verified, "is for linux/arm64, not for linux/amd64" in message) == (False, True)


async def test_a_base_without_layers_is_none(registry: Registry, release: Maker) -> None:
    base = await push_image(registry, "ubuntu", [])
    assert FAILED in await refused(registry, release, base["digest"])


async def test_documents_of_a_base_need_not_name_their_own_types(registry: Registry, release: Maker) -> None:
    own = entry(await push_image(registry, "ubuntu", [BOTTOM], manifest={"mediaType": None}), AMD64)
    index = push_index(registry, "ubuntu", [own], mediaType=None)
    assert "mediaType" not in json.loads((await registry.repository("ubuntu").manifest(index["digest"])).raw)  # type: ignore[union-attr]
    assert finding(await published_on(registry, release, index["digest"]), "base")[0]
