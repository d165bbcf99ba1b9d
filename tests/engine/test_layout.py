"""An image is read from a layout when every blob is what it says."""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from embedded_engine.host.errors import ArchiveInvalid
from embedded_engine.oci.layout import read_layout

from tests.engine.small_image import CONFIG, Made, make, run


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Return an image with gzip layers."""
    return make(tmp_path / "made")


@pytest.fixture
def layout(made: Made, tmp_path: Path) -> Path:
    """Return the layout directory that skopeo makes of the image."""
    run("skopeo", "copy", "--quiet", f"oci-archive:{made.archive}", f"oci:{tmp_path / 'layout'}:latest")
    return tmp_path / "layout"


def test_a_layout_is_read_as_it_was_written(made: Made, layout: Path) -> None:
    image = read_layout(layout, "linux/amd64")
    assert image.config == CONFIG
    assert [layer.digest for layer in image.layers] == list(made.blobs)
    assert [layer.diff_id for layer in image.layers] == json.loads(made.documents.config)["rootfs"]["diff_ids"]
    assert [blob.read_bytes() for blob in image.blobs] == [blob.read_bytes() for blob in made.blobs.values()]
    assert image.history == ("base", "RUN x")


def test_a_layout_of_a_docker_archive_is_read(made: Made, tmp_path: Path) -> None:
    run("skopeo", "copy", "--quiet", f"docker-archive:{made.archive}", f"oci:{tmp_path / 'layout'}:latest")
    image = read_layout(tmp_path / "layout", "linux/amd64")
    # skopeo leaves out what OCI's configuration does not have.
    assert image.config == dataclasses.replace(CONFIG, healthcheck="")
    assert [layer.diff_id for layer in image.layers] == json.loads(made.documents.config)["rootfs"]["diff_ids"]


def add(layout: Path, document: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Store a document in a layout, and return its descriptor."""
    data = json.dumps(document).encode()
    name = hashlib.sha256(data).hexdigest()
    (layout / "blobs/sha256" / name).write_bytes(data)
    kind = document.get("mediaType", "application/vnd.oci.image.config.v1+json")
    return {"mediaType": kind, "digest": f"sha256:{name}", "size": len(data), **more}


def manifest_of(layout: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the descriptor and the manifest of a layout's image."""
    descriptor = json.loads((layout / "index.json").read_text())["manifests"][0]
    path = layout / "blobs/sha256" / descriptor["digest"].removeprefix("sha256:")
    return descriptor, json.loads(path.read_text())


def point_to(layout: Path, *descriptors: dict[str, Any]) -> None:
    """Make these the layout's images."""
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": descriptors}))


def test_the_platform_is_found_through_a_nested_docker_index(layout: Path) -> None:
    descriptor, _ = manifest_of(layout)
    missing = {**descriptor, "digest": "sha256:" + "0" * 64}
    point_to(
        layout,
        add(
            layout,
            {
                "schemaVersion": 2,
                "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json",
                "manifests": [
                    {**missing, "platform": {"architecture": "unknown", "os": "unknown"}},
                    {**missing, "platform": {"architecture": "arm64", "os": "linux", "variant": "v8"}},
                    {**descriptor, "platform": {"architecture": "amd64", "os": "linux"}},
                ],
            },
        ),
    )
    assert read_layout(layout, "linux/amd64").config == CONFIG


def test_layers_of_docker_get_the_media_type_of_oci(layout: Path) -> None:
    _, manifest = manifest_of(layout)
    manifest["mediaType"] = "application/vnd.docker.distribution.manifest.v2+json"
    for layer in manifest["layers"]:
        layer["mediaType"] = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    point_to(layout, add(layout, manifest))
    found = {layer.media_type for layer in read_layout(layout, "linux/amd64").layers}
    assert found == {"application/vnd.oci.image.layer.v1.tar+gzip"}


def test_history_without_layers_is_left_out(layout: Path) -> None:
    _, manifest = manifest_of(layout)
    config = json.loads((layout / "blobs/sha256" / manifest["config"]["digest"][7:]).read_text())
    config["history"].insert(1, {"created_by": "ENV", "empty_layer": True})
    point_to(layout, add(layout, {**manifest, "config": add(layout, config)}))
    assert read_layout(layout, "linux/amd64").history == ("base", "RUN x")


def _damage_config(layout: Path) -> None:
    _blob(layout, "config").write_bytes(b"{}")


def _damage_layer(layout: Path) -> None:
    path = _blob(layout, "layers")
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def _remove_layer(layout: Path) -> None:
    _blob(layout, "layers").unlink()


def _lie_about_size(layout: Path) -> None:
    descriptor, _ = manifest_of(layout)
    point_to(layout, {**descriptor, "size": descriptor["size"] + 1})


def _climb(layout: Path) -> None:
    descriptor, _ = manifest_of(layout)
    point_to(layout, {**descriptor, "digest": "sha256:../../../index.json"})


def _huge(layout: Path) -> None:
    descriptor, _ = manifest_of(layout)
    point_to(layout, {**descriptor, "size": 1 << 40})


def _encrypt(layout: Path) -> None:
    _, manifest = manifest_of(layout)
    manifest["layers"][0]["mediaType"] += "+encrypted"
    point_to(layout, add(layout, manifest))


def _drop_layer(layout: Path) -> None:
    _, manifest = manifest_of(layout)
    del manifest["layers"][0]
    point_to(layout, add(layout, manifest))


def _blob(layout: Path, part: str) -> Path:
    _, manifest = manifest_of(layout)
    descriptor = manifest[part][0] if part == "layers" else manifest[part]
    return layout / "blobs/sha256" / str(descriptor["digest"]).removeprefix("sha256:")


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (_damage_config, "is damaged or of another size"),
        (_damage_layer, "is damaged or of another size"),
        (_lie_about_size, "is damaged or of another size"),
        (_remove_layer, "No such file"),
        (_climb, "'sha256:../../../index.json', which is not a SHA-256 digest"),
        (_huge, "is too large"),
        (_encrypt, "tar+gzip+encrypted', which cannot be passed on"),
        (_drop_layer, "cannot be read"),
        (lambda layout: (layout / "index.json").unlink(), "cannot be read"),
        (lambda layout: (layout / "index.json").write_text("[]"), "cannot be read"),
        (lambda layout: (layout / "index.json").write_text("[" * 100_000), "cannot be read"),
        (point_to, "has no manifest for linux/amd64"),
    ],
)
def test_a_layout_that_is_not_what_it_says_is_refused(layout: Path, damage: Callable[[Path], object], why: str) -> None:
    damage(layout)
    with pytest.raises(ArchiveInvalid) as refused:
        read_layout(layout, "linux/amd64")
    assert why in str(refused.value)


def test_an_image_for_another_platform_is_refused(layout: Path) -> None:
    with pytest.raises(ArchiveInvalid, match=r"^The image is for linux/amd64, not for linux/arm64; get one"):
        read_layout(layout, "linux/arm64")
