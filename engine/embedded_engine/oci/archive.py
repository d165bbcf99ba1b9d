"""Writes archives of images: an OCI layout in a tar file.

Source: https://github.com/opencontainers/image-spec 1.0, image-layout.md; docker's manifest.json: moby
image/spec/v1.2.md.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from embedded_engine.host.errors import EngineError
from embedded_engine.oci.documents import INDEX, Documents, canonical_json, digest_of, index_of
from embedded_engine.oci.tarheader import DIRECTORY, END, REGULAR, HeaderFields, padding

_BLOBS = "blobs/sha256/"


def write_archive(out: Path, images: Sequence[Documents], blobs: Mapping[str, Path]) -> None:
    """Write an OCI layout as a tar file, with docker's manifest.json for a `docker load` older than 25.

    Equal arguments give equal bytes: entries are sorted, belong to root, and have no time.

    Args:
        out: the file; the caller renames it.
        images: the images, one for each platform; several get an index and no manifest.json.
        blobs: the layers by digest.

    Raises:
        EngineError: the size of a layer's file differs from the manifest.
        OSError: reading or writing failed, for example because no space is left.
    """
    small = _small_files(images)
    large = {_member(digest): (blobs[digest], size) for digest, size in _layers(images).items()}
    with out.open("wb") as archive:
        for directory in ("blobs/", _BLOBS):
            archive.write(HeaderFields(directory.encode(), DIRECTORY, 0o755).header())
        for name in sorted(small | large):
            if name in large:
                _add_file(archive, name, *large[name])
            else:
                _add(archive, name, small[name])
        archive.write(END)


def _layers(images: Sequence[Documents]) -> dict[str, int]:
    return {layer["digest"]: layer["size"] for one in images for layer in json.loads(one.manifest)["layers"]}


def _small_files(images: Sequence[Documents]) -> dict[str, bytes]:
    top = images[0].descriptor() if len(images) == 1 else index_of(images).descriptor()
    named = {**top, "annotations": {"org.opencontainers.image.ref.name": "latest"}}
    texts: dict[str, Any] = {
        "oci-layout": {"imageLayoutVersion": "1.0.0"},
        "index.json": {"schemaVersion": 2, "mediaType": INDEX, "manifests": [named]},
    }
    if len(images) == 1:
        config = _member(digest_of(images[0].config))
        layers = [_member(layer["digest"]) for layer in json.loads(images[0].manifest)["layers"]]
        texts["manifest.json"] = [{"Config": config, "RepoTags": None, "Layers": layers}]
    files = {name: canonical_json(text).encode() for name, text in texts.items()}
    for one in images:
        files[_member(digest_of(one.config))] = one.config
    for one in images if len(images) == 1 else (*images, index_of(images)):
        files[_member(one.digest)] = one.manifest
    return files


def _member(digest: str) -> str:
    return _BLOBS + digest.removeprefix("sha256:")


def _add(archive: BinaryIO, name: str, content: bytes) -> None:
    archive.write(HeaderFields(name.encode(), REGULAR, 0o644, size=len(content)).header())
    archive.write(content + bytes(padding(len(content))))


def _add_file(archive: BinaryIO, name: str, path: Path, size: int) -> None:
    archive.write(HeaderFields(name.encode(), REGULAR, 0o644, size=size).header())
    archive.flush()  # the copy below bypasses the buffer
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
