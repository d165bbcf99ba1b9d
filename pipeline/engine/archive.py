"""Archives of images: an OCI layout in a tar file.

Source: https://github.com/opencontainers/image-spec 1.0, image-layout.md; docker's manifest.json: moby
image/spec/v1.2.md.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from pipeline.engine.errors import EngineError
from pipeline.engine.oci import INDEX, MANIFEST, Documents, canonical_json, digest_of
from pipeline.engine.tarheader import DIRECTORY, END, REGULAR, Entry, padding

_BLOBS = "blobs/sha256/"


def write_archive(out: Path, documents: Documents, blobs: Mapping[str, Path], *, ref_name: str = "latest") -> None:
    """Write an OCI layout as a tar file, with docker's manifest.json for a `docker load` older than 25.

    Equal arguments give equal bytes: entries are sorted, belong to root, and have no time.

    Args:
        out: the file; the caller renames it.
        documents: of the image.
        blobs: its layers by digest.
        ref_name: the tag in the layout, org.opencontainers.image.ref.name.

    Raises:
        EngineError: a layer's file has another size than the manifest says.
        OSError: reading or writing failed, as with no space left.
    """
    layers = {layer["digest"]: layer["size"] for layer in json.loads(documents.manifest)["layers"]}
    small = _small_files(documents, ref_name)
    large = {_member(digest): (blobs[digest], size) for digest, size in layers.items()}
    with out.open("wb") as archive:
        for directory in ("blobs/", _BLOBS):
            archive.write(Entry(directory.encode(), DIRECTORY, 0o755).header())
        for name in sorted(small | large):
            if name in large:
                _add_file(archive, name, *large[name])
            else:
                _add(archive, name, small[name])
        archive.write(END)


def _small_files(documents: Documents, ref_name: str) -> dict[str, bytes]:
    manifest = {
        "mediaType": MANIFEST,
        "digest": documents.digest,
        "size": len(documents.manifest),
        "annotations": {"org.opencontainers.image.ref.name": ref_name},
    }
    config = _member(digest_of(documents.config))
    layers = [_member(layer["digest"]) for layer in json.loads(documents.manifest)["layers"]]
    texts = {
        "oci-layout": {"imageLayoutVersion": "1.0.0"},
        "index.json": {"schemaVersion": 2, "mediaType": INDEX, "manifests": [manifest]},
        "manifest.json": [{"Config": config, "RepoTags": None, "Layers": layers}],
    }
    files = {name: canonical_json(text).encode() for name, text in texts.items()}
    return files | {_member(documents.digest): documents.manifest, config: documents.config}


def _member(digest: str) -> str:
    return _BLOBS + digest.removeprefix("sha256:")


def _add(archive: BinaryIO, name: str, content: bytes) -> None:
    archive.write(Entry(name.encode(), REGULAR, 0o644, size=len(content)).header())
    archive.write(content + bytes(padding(len(content))))


def _add_file(archive: BinaryIO, name: str, path: Path, size: int) -> None:
    archive.write(Entry(name.encode(), REGULAR, 0o644, size=size).header())
    archive.flush()  # what follows goes past the buffer
    with path.open("rb") as blob:
        found = os.fstat(blob.fileno()).st_size
        if found != size:
            raise EngineError(
                f"The layer '{path.name}' has {found} bytes instead of {size}; remove it and run the build again."
            )
        copied = 0
        while copied < size:
            copied += os.sendfile(archive.fileno(), blob.fileno(), copied, size - copied)
    archive.write(bytes(padding(size)))
