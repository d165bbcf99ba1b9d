"""Documents of the OCI image spec: configuration, manifest and index.

Source: https://github.com/opencontainers/image-spec 1.0: config.md, manifest.md, image-index.md.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from embedded_engine.host.bounded import Fields
from embedded_engine.oci.layer import Layer
from embedded_engine.oci.platforms import normalized

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"

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

    @property
    def platform(self) -> str:
        """What it runs on, `linux/amd64`, or with a variant `linux/arm/v7`."""
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "ImageConfig":
        """Read an image configuration.

        Raises:
            Malformed: a field is of another type than config.md says.
        """
        image = Fields(document, "the configuration")
        run = image.object("config")
        architecture, variant = normalized(image.text("architecture"), image.text("variant"))
        return cls(
            architecture=architecture,
            os=image.text("os"),
            variant=variant,
            # As BuildKit reads it: a variable without "=" is empty.
            env=tuple(entry if "=" in entry else f"{entry}=" for entry in run.texts("Env")),
            entrypoint=run.texts("Entrypoint") or None,
            cmd=run.texts("Cmd") or None,
            user=run.text("User"),
            workdir=run.text("WorkingDir"),
            labels=run.object("Labels").pairs(),
            exposed_ports=run.object("ExposedPorts").names(),
            volumes=run.object("Volumes").names(),
            stop_signal=run.text("StopSignal"),
            healthcheck=_healthcheck(run.object("Healthcheck"), document),
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


def _healthcheck(found: Fields, document: Mapping[str, Any]) -> str:
    found.texts("Test")
    for name in ("Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"):
        found.number(name)
    return canonical_json(document["config"]["Healthcheck"]) if found.names() else ""


@dataclass(frozen=True)
class Documents:
    """An image's configuration and manifest, as bytes; of an index, which has no configuration, the index alone."""

    config: bytes
    manifest: bytes

    @property
    def digest(self) -> str:
        """`sha256:…` of the manifest."""
        return digest_of(self.manifest)

    def descriptor(self) -> dict[str, Any]:
        """Return what an index says of it."""
        media_type = json.loads(self.manifest)["mediaType"]
        return {"mediaType": media_type, "digest": self.digest, "size": len(self.manifest)}


def digest_of(data: bytes) -> str:
    """Return `sha256:…` of bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value: sorted names, no blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


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
        "history": [{"created": created, "created_by": command} for command in history],
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


def index_of(images: Sequence[Documents]) -> Documents:
    """Return the index of an image for several platforms."""
    manifests: list[dict[str, Any]] = []
    for one in images:
        config = json.loads(one.config)
        platform = {key: config[key] for key in ("architecture", "os", "variant") if key in config}
        annotations = json.loads(one.manifest).get("annotations")
        manifests.append(
            {**one.descriptor(), "platform": platform, **({"annotations": annotations} if annotations else {})}
        )
    document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}
    return Documents(b"", canonical_json(document).encode())
