"""Reads an OCI archive without unpacking it.

Source: https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md
"""

import hashlib
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

#: The errors of tarfile and gzip for damaged files, and those of json and ours for files that are not an image.
_DAMAGED = (tarfile.TarError, EOFError, OSError, LookupError, ValueError, TypeError)

#: An entry's name, and the number of earlier entries of that name in the layer.
Key = tuple[str, int]


class ArchiveError(Exception):
    """An OCI archive is damaged or missing; the text is one sentence."""


class OciArchive:
    """The one image of an OCI archive.

    Attributes:
        path: the archive's path.
        digest: the digest of the manifest that the index names.
        manifest: the manifest.
        configuration: the configuration.
        layers: the digests of the layers, the lowest first.
        diff_ids: the digests of the layers' uncompressed tars.
    """

    def __init__(self, path: Path, tar: tarfile.TarFile) -> None:
        self.path = path
        self._tar = tar
        with _told(path):
            self.digest = str(json.load(self._file("index.json"))["manifests"][0]["digest"])
            self.manifest = self._document(self.digest)
            self.configuration = self._document(self.manifest["config"]["digest"])
            self.layers = tuple(str(layer["digest"]) for layer in self.manifest["layers"])
            self.diff_ids = tuple(str(digest) for digest in self.configuration["rootfs"]["diff_ids"])

    def entries(self, number: int) -> Iterator[tuple[Key, tarfile.TarInfo, IO[bytes] | None]]:
        """Yield key, header and content of a layer's entries; a content can be read only before the next entry.

        Args:
            number: the number of the layer, from 0.

        Raises:
            ArchiveError: the layer is damaged, or neither plain nor compressed with gzip.
        """
        seen: dict[str, int] = {}
        with _told(self.path), tarfile.open(fileobj=self.blob(self.layers[number]), mode="r|*") as tar:
            for entry in tar:
                tar.members = []  # type: ignore[attr-defined]  # tarfile would keep them all
                seen[entry.name] = seen.get(entry.name, -1) + 1
                yield (entry.name, seen[entry.name]), entry, tar.extractfile(entry) if entry.isreg() else None

    def blob(self, digest: str) -> IO[bytes]:
        """Open a blob.

        Args:
            digest: its digest, as manifests name it.
        """
        return self._file("blobs/sha256/" + digest.removeprefix("sha256:"))

    def _document(self, digest: str) -> dict[str, Any]:
        content = self.blob(digest).read()
        if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
            raise ValueError(f"what it has under {digest} is something else")
        return dict(json.loads(content))

    def _file(self, name: str) -> IO[bytes]:
        file = self._tar.extractfile(name)
        if file is None:
            raise KeyError(f"{name} is no file")
        return file


@contextmanager
def open_archive(path: Path) -> Iterator[OciArchive]:
    """Open an OCI archive for the duration of a block.

    Args:
        path: the archive's path; its layers are plain or compressed with gzip.

    Raises:
        ArchiveError: the file is damaged, or not an OCI archive.
    """
    with _told(path):
        tar = tarfile.open(path)  # noqa: SIM115  closed below: damage that the block finds is not this file's
    with tar:
        yield OciArchive(path, tar)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ArchiveError(f"There is not an archive {path}; give a directory that build-all wrote.") from error
    except _DAMAGED as error:
        reason = str(error).partition("\n")[0]
        raise ArchiveError(
            f"{path} is damaged or no OCI archive with gzip layers ({reason}); build or fetch it again."
        ) from error
