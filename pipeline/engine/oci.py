"""Documents of the OCI image spec: configuration, manifest, layout, and archives of them.

Source: https://github.com/opencontainers/image-spec 1.0: config.md, manifest.md, image-layout.md.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.engine.errors import ArchiveInvalid
from pipeline.engine.layer import Layer

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYERS = frozenset(f"application/vnd.oci.image.layer.v1.tar{suffix}" for suffix in ("", "+gzip", "+zstd"))
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
#: Bytes of a manifest or configuration; what registries allow.
LARGEST_DOCUMENT = 4 << 20

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ImageConfig:
    """The part of an image's configuration that a container run sees.

    Args:
        env: `NAME=value` each.
        entrypoint, cmd: None where the image has none.
        labels: sorted pairs.
        exposed_ports, volumes: their names.
        healthcheck: canonical JSON, empty if there is none.
    """

    architecture: str
    os: str = "linux"
    variant: str = ""
    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    user: str = ""
    workdir: str = ""
    labels: Pairs = ()
    exposed_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str = ""
    healthcheck: str = ""

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "ImageConfig":
        """Read an image configuration."""
        run = document.get("config") or {}

        def words(name: str) -> tuple[str, ...] | None:
            return tuple(run[name]) if run.get(name) else None

        return cls(
            architecture=document["architecture"],
            os=document["os"],
            variant=document.get("variant", ""),
            env=words("Env") or (),
            entrypoint=words("Entrypoint"),
            cmd=words("Cmd"),
            user=run.get("User", ""),
            workdir=run.get("WorkingDir", ""),
            labels=tuple(sorted((run.get("Labels") or {}).items())),
            exposed_ports=tuple(sorted(run.get("ExposedPorts") or ())),
            volumes=tuple(sorted(run.get("Volumes") or ())),
            stop_signal=run.get("StopSignal", ""),
            healthcheck=canonical_json(run["Healthcheck"]) if run.get("Healthcheck") else "",
        )

    def to_json(self) -> dict[str, Any]:
        """Return the image configuration without its layers."""
        run: dict[str, Any] = {
            "Env": list(self.env),
            "Entrypoint": list(self.entrypoint or ()),
            "Cmd": list(self.cmd or ()),
            "User": self.user,
            "WorkingDir": self.workdir,
            "Labels": dict(self.labels),
            "ExposedPorts": {name: {} for name in self.exposed_ports},
            "Volumes": {name: {} for name in self.volumes},
            "StopSignal": self.stop_signal,
            "Healthcheck": json.loads(self.healthcheck) if self.healthcheck else None,
        }
        document = {"architecture": self.architecture, "os": self.os, "variant": self.variant}
        document = {name: value for name, value in document.items() if value}
        return {**document, "config": {name: value for name, value in run.items() if value}}


@dataclass(frozen=True)
class LayoutImage:
    """An image in a layout directory: its layers with the files that hold them."""

    config: ImageConfig
    layers: tuple[Layer, ...]
    blobs: tuple[Path, ...]
    history: tuple[str, ...]


@dataclass(frozen=True)
class Documents:
    """An image's configuration and manifest, as bytes; `digest` is the manifest's."""

    config: bytes
    manifest: bytes

    @property
    def digest(self) -> str:
        """`sha256:…` of the manifest."""
        return digest_of(self.manifest)


def digest_of(data: bytes) -> str:
    """Return `sha256:…` of bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value: sorted names, no blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


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


def image_documents(
    config: ImageConfig,
    layers: Sequence[Layer],
    *,
    created: str,
    history: Sequence[str],
    annotations: Mapping[str, str],
) -> Documents:
    """Return an image's documents; equal arguments give equal bytes.

    Args:
        config: what a run sees.
        layers: lowest first.
        created: ISO 8601, for the image and each entry of its history.
        history: what made each layer.
        annotations: of the manifest.

    Raises:
        ValueError: there are more or fewer entries of history than layers.
    """
    if len(history) != len(layers):
        raise ValueError(f"{len(history)} entries of history for {len(layers)} layers")
    full = config.to_json() | {
        "created": created,
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        "history": [{"created": created, "created_by": said} for said in history],
    }
    data = canonical_json(full).encode()
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": digest_of(data), "size": len(data)},
        "layers": [{"mediaType": one.media_type, "digest": one.digest, "size": one.size} for one in layers],
    }
    if annotations:
        manifest["annotations"] = dict(annotations)
    return Documents(data, canonical_json(manifest).encode())
