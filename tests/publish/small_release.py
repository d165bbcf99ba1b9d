"""A release of small images under the catalogue's names: real archives, labels and metadata, and few files."""

import contextlib
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pipeline.build.labelling import ANNOTATED, OCI, labels_of, metadata_of
from pipeline.build.settings import Settings
from pipeline.registry.manifest import IMAGE
from pipeline.release.content import ImageContent, read_archive
from pipeline.release.push import Candidate
from tests.built_images import OF_ONE_LINE, build_on

BASE = "ubuntu:22.04@sha256:" + "b" * 64
CREATED = "2026-11-24T00:00:00Z"
_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"


@dataclass(frozen=True)
class Recipe:
    """What differs between small releases.

    Args:
        registry: that the images name.
        version: their tag.
        extra_tags: the others.
        base: what the first of them is built from.
        files: what each image adds, by its name and the files' paths; something by default.
        labels: that replace an image's own.
        annotations: that replace those of an image's manifest; an empty one is left out.
        metadata: replaces /etc/skao.metadata of an image; None for no such file.
        moment: of the files in the layers, in seconds since 1970.
        bottom: the layer of the base.
    """

    registry: str
    version: str = "1.0.0"
    extra_tags: tuple[str, ...] = ()
    base: str = BASE
    created: str = CREATED
    files: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    annotations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    metadata: Mapping[str, str | None] = field(default_factory=dict)
    moment: int = 0
    bottom: bytes = b""


def make(directory: Path, recipe: Recipe) -> list[Candidate]:
    """Write the archives, and return what `push_release` takes."""
    directory.mkdir(parents=True, exist_ok=True)
    settings = Settings(
        registry=recipe.registry, version=recipe.version, created=recipe.created, base=recipe.base, revision="c" * 40
    )
    build = build_on(settings, recipe.base, recipe.extra_tags)
    layers: dict[str, list[bytes]] = {}
    digests: dict[str, str] = {}
    candidates = []
    for name, image in OF_ONE_LINE.items():
        own = {"usr/share/doc/" + name: name.encode(), **recipe.files.get(name, {})}
        metadata = recipe.metadata.get(name, metadata_of(image, build).render())
        below = layers[image.parent] if image.parent else [recipe.bottom or BOTTOM]
        written = {} if metadata is None else {"etc/skao.metadata": metadata.encode()}
        layers[name] = [*below, *(layer(files, recipe.moment) for files in (own, written))]
        labels = {**labels_of(image, build), **recipe.labels.get(name, {})}
        annotations = {key: labels[key] for key in ANNOTATED if key in labels}
        if image.parent:
            annotations[f"{OCI}base.digest"] = digests[image.parent]
        annotations |= recipe.annotations.get(name, {})
        annotations = {key: value for key, value in annotations.items() if value}
        digest = write_archive(directory / f"{name}.tar", layers[name], labels, recipe.created, annotations)
        digests[name] = digest
        candidates.append(Candidate(name, image.parent, digest, partial(_content, directory / f"{name}.tar")))
    return candidates


def make_base(directory: Path) -> Candidate:
    """Write the image that all others are built from."""
    digest = write_archive(directory / "ubuntu.tar", [BOTTOM], {}, CREATED)
    return Candidate("ubuntu", None, digest, partial(_content, directory / "ubuntu.tar"))


def layer(files: Mapping[str, bytes], moment: int = 0) -> bytes:
    """Return a layer of regular files of a moment, and of directories where a path ends with a slash."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as stream, tarfile.open(fileobj=stream, mode="w|") as tar:
        for path, content in files.items():
            member = tarfile.TarInfo(path.rstrip("/"))
            member.type = tarfile.DIRTYPE if path.endswith("/") else tarfile.REGTYPE
            member.size, member.mtime = len(content), moment
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def write_archive(
    path: Path,
    layers: list[bytes],
    labels: Mapping[str, str],
    created: str,
    annotations: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Write an OCI archive, and return the digest of its manifest."""
    blobs: dict[str, bytes] = {}

    def blob(content: bytes, media_type: str) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        blobs[digest] = content
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    config = {
        "architecture": "amd64",
        "os": "linux",
        "created": created,
        "config": {"Labels": dict(labels)},
        "rootfs": {"type": "layers", "diff_ids": [_diff_id(one) for one in layers]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "config": blob(json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json"),
        "layers": [blob(one, _GZIP) for one in layers],
        "annotations": dict(annotations),
    }
    entry = blob(json.dumps(manifest).encode(), IMAGE)
    with tarfile.open(path, "w") as tar:
        documents = {
            "oci-layout": {"imageLayoutVersion": "1.0.0"},
            "index.json": {"schemaVersion": 2, "manifests": [entry]},
        }
        files = {name: json.dumps(document).encode() for name, document in documents.items()}
        for name, content in {
            **files,
            **{f"blobs/sha256/{digest}": content for digest, content in blobs.items()},
        }.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return str(entry["digest"])


def _diff_id(layer: bytes) -> str:
    # Some tests put what is no gzip in the place of a layer.
    try:
        unpacked = gzip.decompress(layer)
    except (OSError, EOFError):
        unpacked = layer
    return f"sha256:{hashlib.sha256(unpacked).hexdigest()}"


@contextlib.asynccontextmanager
async def _content(path: Path) -> AsyncIterator[ImageContent]:
    yield read_archive(path)


#: The layer of the base.
BOTTOM = layer({"etc/os-release": b"ID=small\n", "bin/": b""})
