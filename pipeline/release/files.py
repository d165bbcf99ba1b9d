"""Reads files of an image in a registry from its layers as they stream in; nothing is unpacked to disk.

Source: https://github.com/opencontainers/image-spec/blob/v1.1.0/layer.md
"""

import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath

from pipeline.concurrency import Shared
from pipeline.errors import RegistryError
from pipeline.escape import escaped
from pipeline.registry.manifest import Descriptor
from pipeline.release.published import Published

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
#: The largest file in bytes; larger ones are an attack on memory.
_LARGEST_FILE = 64 << 20
_DAMAGED = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError, ValueError)


@dataclass
class _Layer:
    """The wanted files of a layer, and what it hides of the layers below.

    Attributes:
        files: the contents of the wanted files by their paths.
        hidden: removed paths, with everything below them.
        directories: directories, which may replace other entries of the layers below.
        opaque: directories that hide their content in the layers below.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    directories: set[str] = field(default_factory=set)
    opaque: set[str] = field(default_factory=set)


class FileReader:
    """Reads files of images, each shared layer once.

    Args:
        wanted: whether to read a file, by its path without a leading slash.
    """

    def __init__(self, wanted: Callable[[str], bool]) -> None:
        self._wanted = wanted
        self._layers: dict[str, Shared[_Layer]] = {}

    async def read(
        self, image: Published, *, enough: Callable[[Mapping[str, bytes]], object] = lambda _: False
    ) -> Mapping[str, bytes]:
        """Read the wanted files of an image.

        Args:
            image: an image in a registry.
            enough: whether the files found so far suffice, so that lower layers need not be read.

        Returns:
            The contents by their paths.

        Raises:
            RegistryError: a layer is damaged, or has an unknown compression.
        """
        found: dict[str, bytes] = {}
        hidden: set[str] = set()
        directories: set[str] = set()
        opaque: set[str] = set()
        for blob in reversed(image.manifest.layers):
            if enough(found):
                break
            layer = await self._layer(image, blob)
            for path, content in layer.files.items():
                above = {str(parent) for parent in PurePosixPath(path).parents}
                if path not in hidden | directories and not above & (hidden | opaque):
                    found[path] = content
            hidden |= layer.hidden
            directories |= layer.directories
            opaque |= layer.opaque
        return found

    async def _layer(self, image: Published, blob: Descriptor) -> _Layer:
        where = f"The layer {blob.digest} of {image.repository.path}"
        reader = partial(_read_layer, where, self._wanted)
        read = Shared(partial(image.repository.consume, blob, reader))
        return await self._layers.setdefault(blob.digest, read).get()


def _read_layer(where: str, wanted: Callable[[str], bool], chunks: Iterable[bytes]) -> _Layer:
    stream = _Stream(chunks)
    try:
        with tarfile.open(fileobj=stream, mode="r|*") as tar:  # type: ignore[call-overload]  # it needs `read` only
            layer = _collected(tar, wanted)
        # Only the end of the stream proves the digest.
        while stream.read(1 << 20):
            pass
    except RegistryError:
        raise
    except _DAMAGED as error:
        raise RegistryError(
            f"{where} cannot be read ({escaped(str(error))}); it is not a gzip-compressed tar."
        ) from error
    return layer


def _collected(tar: tarfile.TarFile, wanted: Callable[[str], bool]) -> _Layer:
    layer = _Layer()
    for member in tar:
        path = member.name.removeprefix("./").strip("/")
        directory, _, name = path.rpartition("/")
        if name == _OPAQUE:
            layer.opaque.add(directory)
        elif name.startswith(_WHITEOUT):
            layer.hidden.add(f"{directory}/{name[len(_WHITEOUT) :]}".lstrip("/"))
        elif member.isdir():
            layer.directories.add(path)
        else:
            layer.hidden.add(path)
            if member.isreg() and wanted(path):
                layer.files[path] = _content(tar, member)
    return layer


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.size > _LARGEST_FILE:
        raise ValueError(f"{member.name} has {member.size} bytes")
    file = tar.extractfile(member)
    return file.read() if file else b""


class _Stream:
    """Chunks as a file that is read sequentially."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks: Iterator[bytes] = iter(chunks)
        self._rest = b""

    def read(self, size: int) -> bytes:
        """Return that many bytes, or fewer at the end."""
        parts, left = [self._rest[:size]], size - len(self._rest)
        self._rest = self._rest[size:]
        while left > 0 and (chunk := next(self._chunks, b"")):
            parts.append(chunk[:left])
            self._rest = chunk[left:]
            left -= len(chunk)
        return b"".join(parts)
