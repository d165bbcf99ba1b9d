"""An image as a manifest and blobs, in an OCI archive or in another registry.

Source: https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md
"""

import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import SkaError
from pipeline.registry.manifest import LARGEST_DOCUMENT, Manifest
from pipeline.registry.transfer import Content

_BLOBS = "blobs/sha256/"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Blob:
    """A blob inside an archive, which can be read repeatedly."""

    path: Path
    offset: int
    size: int

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            file.seek(self.offset)
            left = self.size
            while left and (chunk := file.read(min(left, _CHUNK))):
                left -= len(chunk)
                yield chunk


@dataclass(frozen=True)
class ImageContent:
    """The parts of an image that are pushed.

    Args:
        manifest: the image's manifest.
        blobs: the blobs by their digests.
    """

    manifest: Manifest
    blobs: Mapping[str, Content]


def read_archive(path: Path) -> ImageContent:
    """Locate the parts of an image in an OCI archive.

    Raises:
        SkaError: the archive holds no image, or an incomplete one.
    """
    with tarfile.open(path, "r:") as archive:
        members = {member.name: member for member in archive if member.isreg()}
    blobs = {
        f"sha256:{name.removeprefix(_BLOBS)}": Blob(path, member.offset_data, member.size)
        for name, member in members.items()
        if name.startswith(_BLOBS)
    }
    try:
        index = members["index.json"]
        (entry,) = json.loads(_document(Blob(path, index.offset_data, index.size)))["manifests"]
        manifest = Manifest(_document(blobs[entry["digest"]]))
    except (KeyError, ValueError) as error:
        raise SkaError(f"The archive {path.name} holds no image ({error}).") from error
    if missing := [blob.digest for blob in manifest.blobs if blob.digest not in blobs]:
        raise SkaError(f"The archive {path.name} lacks the blob {missing[0]} of its image.")
    return ImageContent(manifest, blobs)


def _document(blob: Blob) -> bytes:
    if blob.size > LARGEST_DOCUMENT:
        raise ValueError("a document of more than 4 MiB")
    return b"".join(blob)
