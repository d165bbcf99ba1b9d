"""What a layer holds is read from its bytes in a real registry."""

import gzip
import hashlib

import pytest

from pipeline.errors import RegistryError
from pipeline.registry.manifest import Descriptor
from pipeline.registry.registry import Registry
from pipeline.release.unpacked import unpacked_digest
from tests.publish.documents import GZIP, push_blob
from tests.publish.small_release import BOTTOM

TAR = "application/vnd.oci.image.layer.v1.tar"
#: More than is unpacked at once, and small when packed.
LARGE = bytes(3 << 20) + b"end"


async def pushed(registry: Registry, content: bytes, media_type: str = GZIP) -> Descriptor:
    found = await push_blob(registry, "image", content, media_type)
    return Descriptor(found["mediaType"], found["digest"], found["size"])


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


#: Without the time, so that tests keep their names.
SMALL = gzip.compress(b"a", mtime=0)


@pytest.mark.parametrize(
    ("content", "media_type", "holds"),
    [
        (BOTTOM, GZIP, gzip.decompress(BOTTOM)),
        (gzip.compress(b"one", mtime=0) + gzip.compress(b"two", mtime=0), GZIP, b"onetwo"),
        (gzip.compress(LARGE), GZIP, LARGE),
        (gzip.compress(LARGE), "application/vnd.docker.image.rootfs.diff.tar.gzip", LARGE),
        (b"a tar", TAR, b"a tar"),
    ],
)
async def test_a_layer_is_known_by_what_it_holds(
    registry: Registry, content: bytes, media_type: str, holds: bytes
) -> None:
    layer = await pushed(registry, content, media_type)
    assert await unpacked_digest(registry.repository("image"), layer) == digest(holds)


@pytest.mark.parametrize("content", [b"", b"no gzip", gzip.compress(LARGE)[:-1], SMALL + b"more", SMALL[:-8]])
async def test_a_layer_that_gzip_did_not_pack_is_refused(registry: Registry, content: bytes) -> None:
    layer = await pushed(registry, content)
    with pytest.raises(RegistryError, match="is not valid gzip"):
        await unpacked_digest(registry.repository("image"), layer)


async def test_a_layer_is_not_read_beyond_a_limit(registry: Registry) -> None:
    layer = await pushed(registry, gzip.compress(LARGE))
    with pytest.raises(RegistryError, match="has more than 2097152 bytes unpacked"):
        await unpacked_digest(registry.repository("image"), layer, 2 << 20)


async def test_a_layer_that_is_packed_in_another_way_is_not_unpacked(registry: Registry) -> None:
    layer = await pushed(registry, b"zstd", f"{TAR}+zstd")
    with pytest.raises(RegistryError, match="which cannot be unpacked here"):
        await unpacked_digest(registry.repository("image"), layer)
