"""Reads images from an OCI layout, and verifies each part.

Source: https://github.com/opencontainers/image-spec 1.0: config.md, manifest.md, image-layout.md.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from embedded_engine.host.bounded import Fields, decode_json
from embedded_engine.host.errors import ArchiveInvalid
from embedded_engine.oci.documents import ImageConfig
from embedded_engine.oci.layer import Layer

LAYERS = frozenset(f"application/vnd.oci.image.layer.v1.tar{suffix}" for suffix in ("", "+gzip", "+zstd"))
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
#: The largest manifest or configuration in bytes, as in registries.
LARGEST_DOCUMENT = 4 << 20
#: An index may name another index, but not deeper.
MOST_INDEXES = 4


@dataclass(frozen=True)
class LayoutImage:
    """An image in a layout directory, with the files of its layers."""

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
        ArchiveInvalid: a blob is missing, too large, or has a wrong digest or size; no image is for the platform; or a
            layer is not distributable.
    """
    try:
        with (directory / "index.json").open("rb") as file:
            document = _fields(file.read(LARGEST_DOCUMENT + 1), "index.json")
        for _ in range(MOST_INDEXES):
            if "manifests" not in document:
                break
            document = _document(directory, _pick(document.objects("manifests"), platform))
        return _layout_image(directory, document, platform)
    except (OSError, ValueError) as error:
        raise ArchiveInvalid(f"The image's documents cannot be read ({error}); get the archive anew.") from error


def _fields(data: bytes, name: str) -> Fields:
    if len(data) > LARGEST_DOCUMENT:
        raise ArchiveInvalid(f"The image's document {name} is too large; get the archive anew.")
    return Fields(decode_json(data), name)


def _layout_image(directory: Path, manifest: Fields, platform: str) -> LayoutImage:
    blob = _document_bytes(directory, manifest.object("config"))
    config = _fields(blob, "the configuration")
    if not _is_for(config, platform):
        found = f"{config.text('os')}/{config.text('architecture')}"
        raise ArchiveInvalid(f"The image is for {found}, not for {platform}; get one that was built for it.")
    descriptors = manifest.objects("layers")
    layers = tuple(
        Layer(diff_id, entry.text("digest"), entry.number("size"), _oci_type(entry.text("mediaType")))
        for entry, diff_id in zip(descriptors, config.object("rootfs").texts("diff_ids"), strict=True)
    )
    commands = [step.text("created_by") for step in config.objects("history") if not step.flag("empty_layer")]
    return LayoutImage(
        config=ImageConfig.from_json(decode_json(blob)),
        layers=layers,
        blobs=tuple(_verified(directory, entry) for entry in descriptors),
        history=tuple(commands if len(commands) == len(layers) else [""] * len(layers)),
    )


def _oci_type(media_type: str) -> str:
    found = media_type.replace("vnd.docker.image.rootfs.diff.tar.gzip", "vnd.oci.image.layer.v1.tar+gzip")
    if found not in LAYERS:
        raise ArchiveInvalid(
            f"The image has a layer of the kind '{media_type}', which cannot be passed on; choose another image."
        )
    return found


def _pick(manifests: list[Fields], platform: str) -> Fields:
    for entry in manifests:
        wanted = entry.object("platform")
        if not wanted.names() or _is_for(wanted, platform):
            return entry
    raise ArchiveInvalid(f"The image has no manifest for {platform}; get one that was built for it.")


def _is_for(found: Fields, platform: str) -> bool:
    wanted = platform.split("/")
    return [found.text("os"), found.text("architecture"), found.text("variant")][: len(wanted)] == wanted


def _verified(directory: Path, descriptor: Fields) -> Path:
    """Return the path of a blob after comparing its content with its descriptor."""
    digest = descriptor.text("digest")
    if not DIGEST.fullmatch(digest):
        raise ArchiveInvalid(f"The image names a blob '{digest}', which is not a SHA-256 digest; get the archive anew.")
    path = directory / "blobs" / "sha256" / digest.removeprefix("sha256:")
    found = hashlib.sha256()
    with path.open("rb") as blob:
        while piece := blob.read(1 << 20):
            found.update(piece)
        length = blob.tell()
    if (f"sha256:{found.hexdigest()}", length) != (digest, descriptor.number("size")):
        raise ArchiveInvalid(f"The image's blob {digest} is damaged or of another size; get the archive anew.")
    return path


def _document(directory: Path, descriptor: Fields) -> Fields:
    return _fields(_document_bytes(directory, descriptor), "a manifest")


def _document_bytes(directory: Path, descriptor: Fields) -> bytes:
    if descriptor.number("size") > LARGEST_DOCUMENT:
        raise ArchiveInvalid(f"The image's document {descriptor.text('digest')} is too large; get the archive anew.")
    return _verified(directory, descriptor).read_bytes()
