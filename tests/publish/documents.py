"""Manifests, indexes and configurations that no builder writes, pushed as they are."""

import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests

from pipeline.registry.manifest import CONFIG, IMAGE, Descriptor, digest_of
from pipeline.registry.registry import Registry

GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"


@dataclass(frozen=True)
class Bytes:
    """A blob."""

    content: bytes

    def __iter__(self) -> Any:
        return iter([self.content])

    def __len__(self) -> int:
        return len(self.content)


async def push_blob(registry: Registry, name: str, content: bytes, media_type: str) -> dict[str, Any]:
    """Push a blob, and return its descriptor."""
    blob = Descriptor(media_type, digest_of(content), len(content))
    await registry.repository(name).push_blob(blob, Bytes(content))
    return {"mediaType": media_type, "digest": blob.digest, "size": blob.size}


async def push_image(
    registry: Registry,
    name: str,
    layers: Sequence[bytes],
    config: Mapping[str, Any] | None = None,
    *,
    tag: str = "",
    content_type: str = IMAGE,
    manifest: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Push an image, and return its descriptor.

    Args:
        registry: where to.
        name: of its repository.
        layers: packed by gzip.
        config: fields of its configuration that differ.
        tag: empty for none.
        content_type: of the manifest, as it is pushed.
        manifest: fields of its manifest that differ; None leaves one out.
    """
    document = {"os": "linux", "architecture": "amd64", "config": {}, "rootfs": rootfs(layers), **(config or {})}
    fields = {
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "config": await push_blob(registry, name, json.dumps(document).encode(), CONFIG),
        "layers": [await push_blob(registry, name, one, GZIP) for one in layers],
        **(manifest or {}),
    }
    raw = json.dumps({key: value for key, value in fields.items() if value is not None}).encode()
    return push_manifest(registry, name, raw, content_type, tag)


def rootfs(layers: Sequence[bytes]) -> dict[str, Any]:
    """Return what a configuration says of layers that gzip packed."""
    unpacked = [f"sha256:{hashlib.sha256(gzip.decompress(one)).hexdigest()}" for one in layers]
    return {"type": "layers", "diff_ids": unpacked}


def push_manifest(registry: Registry, name: str, raw: bytes, content_type: str, tag: str = "") -> dict[str, Any]:
    """Push a manifest as it is, and return its descriptor."""
    digest = digest_of(raw)
    url = f"http://{registry.address.host}/v2/{registry.address.repository(name)}/manifests/{tag or digest}"
    answer = requests.put(url, data=raw, headers={"Content-Type": content_type}, timeout=60)
    assert answer.status_code == 201, answer.text
    return {"mediaType": content_type, "digest": digest, "size": len(raw)}


def push_index(
    registry: Registry, name: str, entries: Sequence[Mapping[str, Any]], tag: str = "", **fields: Any
) -> dict[str, Any]:
    """Push an index, and return its descriptor; None leaves a field out."""
    media_type = "application/vnd.oci.image.index.v1+json"
    document = {"schemaVersion": 2, "mediaType": media_type, "manifests": list(entries), **fields}
    raw = json.dumps({key: value for key, value in document.items() if value is not None}).encode()
    return push_manifest(registry, name, raw, media_type, tag)


def entry(descriptor: Mapping[str, Any], platform: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return an entry of an index."""
    return {**descriptor, **({} if platform is None else {"platform": dict(platform)})}
