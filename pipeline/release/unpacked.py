"""Computes the digest of a layer's unpacked content, whatever the image's configuration claims."""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator

from pipeline.errors import RegistryError
from pipeline.registry.manifest import Descriptor
from pipeline.registry.repository import Repository

#: The largest unpacked layer in bytes; larger ones are an attack on the reader.
LARGEST = 8 << 30
#: zlib's window size for gzip with its header and checksum.
_GZIP = 16 + zlib.MAX_WBITS
_CHUNK = 1 << 20


async def unpacked_digest(repository: Repository, layer: Descriptor, largest: int = LARGEST) -> str:
    """Return the digest of a layer's unpacked content, its true DiffID.

    Args:
        repository: the layer's repository.
        layer: a tar, plain or gzip-compressed.
        largest: the limit of the unpacked size in bytes.

    Raises:
        RegistryError: the registry refuses, or the layer is damaged, too large, or compressed in another way.
    """
    unpack: Callable[[Iterable[bytes]], Iterator[bytes]]
    if layer.media_type.endswith("tar"):
        unpack = iter
    elif layer.media_type.endswith("gzip"):
        unpack = _gunzipped
    else:
        raise RegistryError(f"The layer {layer.digest} is a {layer.media_type!r}, which cannot be unpacked here.")

    def read(chunks: Iterable[bytes]) -> str:
        hashed, size = hashlib.sha256(), 0
        for part in unpack(chunks):
            size += len(part)
            if size > largest:
                raise RegistryError(f"The layer {layer.digest} has more than {largest} bytes unpacked, the limit.")
            hashed.update(part)
        return f"sha256:{hashed.hexdigest()}"

    try:
        return await repository.consume(layer, read)
    except zlib.error as error:
        raise RegistryError(f"The layer {layer.digest} of {repository.path} is not valid gzip ({error}).") from error


def _gunzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress gzip, which may have several members but nothing else: https://www.rfc-editor.org/rfc/rfc1952."""
    member = zlib.decompressobj(_GZIP)
    is_whole = False
    for chunk in chunks:
        rest, part = chunk, b""
        while rest or len(part) == _CHUNK:
            if is_whole:
                member, is_whole = zlib.decompressobj(_GZIP), False
            part = member.decompress(rest, _CHUNK)
            yield part
            is_whole = member.eof
            rest = member.unused_data if is_whole else member.unconsumed_tail
            part = b"" if is_whole else part
    if not is_whole:
        raise zlib.error("it ends in the middle")
