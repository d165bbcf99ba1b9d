"""What verify refuses to take for an image, in a real registry: whatever clients could read in different ways."""

from typing import Any

import pytest

from pipeline.errors import RegistryError
from pipeline.registry.manifest import CONFIG, IMAGE
from pipeline.registry.registry import Registry
from pipeline.release.push import push_release
from pipeline.release.tags import Tags
from tests.publish.conftest import Maker
from tests.publish.documents import GZIP, entry, push_blob, push_image, push_index, rootfs
from tests.publish.small_release import BOTTOM, layer
from tests.publish.test_verify import verified


@pytest.mark.parametrize(
    "config",
    [
        {"config": "text"},
        {"config": {"Labels": ["a"]}},
        {"config": {"Labels": {"int.skao.image.version": 5}}},
        {"config": {"labels": {}}},
        {"Config": {}},
        {"os": None},
        {"architecture": ""},
        {"rootfs": None},
        {"rootfs": {"type": "layers", "diff_ids": ["sha256:0"]}},
        {"rootfs": {"type": "layers", "diff_ids": []}},
    ],
)
async def test_a_configuration_that_is_not_as_specified_is_refused(registry: Registry, config: dict[str, Any]) -> None:
    await push_image(registry, "ska-python", [layer({"a": b"1"})], config, tag="1.0.0")
    with pytest.raises(RegistryError, match=r"/ska-python:1\.0\.0 is not an image of this pipeline: "):
        await verified(registry, "ska-python:1.0.0")


@pytest.mark.parametrize(
    ("media_type", "artifact_type"),
    [(CONFIG, "application/vnd.example"), ("application/vnd.oci.empty.v1+json", None)],
)
async def test_an_artifact_that_is_no_image_is_refused(
    registry: Registry, media_type: str, artifact_type: str | None
) -> None:
    config = await push_blob(registry, "ska-python", b"{}", media_type)
    fields = {"config": config, "artifactType": artifact_type}
    await push_image(registry, "ska-python", [layer({"a": b"1"})], tag="1.0.0", manifest=fields)
    with pytest.raises(RegistryError, match="which no client runs"):
        await verified(registry, "ska-python:1.0.0")


async def test_a_layer_that_not_every_client_unpacks_is_refused(registry: Registry) -> None:
    foreign = await push_blob(registry, "ska-python", b"a", "application/vnd.example.layer")
    await push_image(
        registry, "ska-python", [], {"rootfs": rootfs([BOTTOM])}, tag="1.0.0", manifest={"layers": [foreign]}
    )
    with pytest.raises(RegistryError, match=r"a layer is 'application/vnd\.example\.layer'"):
        await verified(registry, "ska-python:1.0.0")


async def test_a_manifest_that_clients_in_go_read_otherwise_is_refused(registry: Registry) -> None:
    layers = [layer({"a": b"1"})]
    evil = await push_blob(registry, "ska-python", layer({"usr/bin/evil": b"evil"}), GZIP)
    await push_image(registry, "ska-python", layers, tag="1.0.0", manifest={"Layers": [evil]})
    with pytest.raises(RegistryError, match="the field 'Layers' has another spelling than its specification"):
        await verified(registry, "ska-python:1.0.0")


async def test_an_index_is_refused_by_tag_and_by_digest(registry: Registry, release: Maker) -> None:
    images = release()
    await push_release(registry, Tags("1.0.0"), images)
    manifest = await registry.repository("ska-python").manifest("1.0.0")
    assert manifest
    own = entry(
        {"mediaType": IMAGE, "digest": manifest.digest, "size": len(manifest.raw)},
        {"os": "linux", "architecture": "amd64"},
    )
    index = push_index(registry, "ska-python", [own], tag="1.0.0")
    for name in ("ska-python:1.0.0", f"ska-python@{index['digest']}"):
        with pytest.raises(RegistryError, match="is an index, from which each client chooses an image"):
            await verified(registry, name)
