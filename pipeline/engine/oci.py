"""Images read from an OCI layout, each part verified.

Source: https://github.com/opencontainers/image-spec 1.0: config.md, manifest.md, image-layout.md.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.engine.documents import ImageConfig
from pipeline.engine.errors import ArchiveInvalid
from pipeline.engine.layer import Layer

LAYERS = frozenset(f"application/vnd.oci.image.layer.v1.tar{suffix}" for suffix in ("", "+gzip", "+zstd"))
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
#: Bytes of a manifest or configuration; what registries allow.
LARGEST_DOCUMENT = 4 << 20


@dataclass(frozen=True)
class LayoutImage:
    """An image in a layout directory: its layers with the files that hold them."""

    config: ImageConfig
    layers: tuple[Layer, ...]
    blobs: tuple[Path, ...]
    history: tuple[str, ...]


def read_layout(directory: Path, platform: str) -> LayoutImage:
    """Read the image of a platform from an OCI layout, and verify each of its blobs.

    Args:
        directory: the layout.
        platform: `linux/amd64`, or with a variant `linux/arm/v7`.

    Raises:
        ArchiveInvalid: a blob is missing, too large, or not what its digest and size say; no image is for the
            platform; or a layer is of a kind that is not for everyone.
    """
    try:
        document: dict[str, Any] = json.loads((directory / "index.json").read_bytes())
        while "manifests" in document:
            document = _document(directory, _pick(document["manifests"], platform))
        config = _document(directory, document["config"])
        return _layout_image(directory, document["layers"], config, platform)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ArchiveInvalid(f"The image's documents cannot be read ({error}); get the archive anew.") from error


def _layout_image(
    directory: Path, descriptors: list[dict[str, Any]], config: dict[str, Any], platform: str
) -> LayoutImage:
    if not _is_for(config, platform):
        found = f"{config['os']}/{config['architecture']}"
        raise ArchiveInvalid(f"The image is for {found}, not for {platform}; get one that was built for it.")
    layers = tuple(
        Layer(diff_id, entry["digest"], entry["size"], _oci_type(entry["mediaType"]))
        for entry, diff_id in zip(descriptors, config["rootfs"]["diff_ids"], strict=True)
    )
    said = [step.get("created_by", "") for step in config.get("history") or () if not step.get("empty_layer")]
    return LayoutImage(
        config=ImageConfig.from_json(config),
        layers=layers,
        blobs=tuple(_verified(directory, entry) for entry in descriptors),
        history=tuple(said if len(said) == len(layers) else [""] * len(layers)),
    )


def _oci_type(media_type: str) -> str:
    found = media_type.replace("vnd.docker.image.rootfs.diff.tar.gzip", "vnd.oci.image.layer.v1.tar+gzip")
    if found not in LAYERS:
        raise ArchiveInvalid(
            f"The image has a layer of the kind '{media_type}', which cannot be passed on; choose another image."
        )
    return found


def _pick(manifests: list[dict[str, Any]], platform: str) -> dict[str, Any]:
    for entry in manifests:
        if not entry.get("platform") or _is_for(entry["platform"], platform):
            return entry
    raise ArchiveInvalid(f"The image has no manifest for {platform}; get one that was built for it.")


def _is_for(found: Mapping[str, Any], platform: str) -> bool:
    asked = platform.split("/")
    return [found["os"], found["architecture"], found.get("variant", "")][: len(asked)] == asked


def _verified(directory: Path, descriptor: Mapping[str, Any]) -> Path:
    """Return the path of a blob once its content is what its descriptor says."""
    digest: str = descriptor["digest"]
    if not DIGEST.fullmatch(digest):
        raise ArchiveInvalid(f"The image names a blob '{digest}', which is no SHA-256 digest; get the archive anew.")
    path = directory / "blobs" / "sha256" / digest.removeprefix("sha256:")
    found = hashlib.sha256()
    with path.open("rb") as blob:
        while piece := blob.read(1 << 20):
            found.update(piece)
        length = blob.tell()
    if (f"sha256:{found.hexdigest()}", length) != (digest, descriptor["size"]):
        raise ArchiveInvalid(f"The image's blob {digest} is damaged or of another size; get the archive anew.")
    return path


def _document(directory: Path, descriptor: Mapping[str, Any]) -> dict[str, Any]:
    if descriptor["size"] > LARGEST_DOCUMENT:
        raise ArchiveInvalid(f"The image's document {descriptor['digest']} is too large; get the archive anew.")
    document: dict[str, Any] = json.loads(_verified(directory, descriptor).read_bytes())
    return document
