"""The archives of dist/ as other tools read them: skopeo, and buildah (conftest.py)."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.built_images import OF_ONE_LINE
from tests.conftest import Built
from tests.consumers.conftest import Client, as_built, call

NAMES = [image.name for image in OF_ONE_LINE.values()]
CHILDREN = [(image.name, image.parent) for image in OF_ONE_LINE.values() if image.parent]
SKAO = ("created", "version", "tags", "team", "url", "source", "baseImage")


@pytest.fixture(scope="module")
def inspected(archives: dict[str, Path]) -> dict[str, dict[str, Any]]:
    """What skopeo says of each archive."""
    return {name: json.loads(call("skopeo", "inspect", f"oci-archive:{path}")) for name, path in archives.items()}


@pytest.fixture(scope="module")
def reported(built: Built) -> dict[str, dict[str, Any]]:
    """What build-report.json says of each image."""
    return {image["name"]: image for image in built.report["images"]}


@pytest.fixture(scope="module", params=NAMES)
def unpacked(request: pytest.FixtureRequest, client: Client) -> Iterator[tuple[str, Path]]:
    """An image's name, and its root file system as buildah mounts it."""
    name: str = request.param
    with client.mounted(as_built(name)) as root:
        yield name, root


def test_dist_holds_an_archive_of_each_image_and_the_report(built: Built) -> None:
    assert {path.name for path in built.dist.iterdir()} == {*(f"{name}.tar" for name in NAMES), "build-report.json"}


@pytest.mark.parametrize("name", NAMES)
def test_skopeo_finds_the_digest_of_the_report(name: str, inspected: Any, reported: Any) -> None:
    assert inspected[name]["Digest"] == reported[name]["digest"]


@pytest.mark.parametrize("name", NAMES)
def test_skopeo_finds_the_layers_of_the_report(name: str, inspected: Any, reported: Any) -> None:
    assert inspected[name]["Layers"] == reported[name]["layers"]


@pytest.mark.parametrize("name", NAMES)
def test_the_size_of_the_report_is_that_of_the_layers(name: str, archives: dict[str, Path], reported: Any) -> None:
    manifest = json.loads(call("skopeo", "inspect", "--raw", f"oci-archive:{archives[name]}"))
    assert reported[name]["size"] == sum(layer["size"] for layer in manifest["layers"])


@pytest.mark.parametrize(("name", "parent"), CHILDREN)
def test_a_parents_layers_are_the_first_of_its_child(name: str, parent: str, inspected: Any) -> None:
    layers = inspected[parent]["Layers"]
    assert inspected[name]["Layers"][: len(layers)] == layers
    assert len(inspected[name]["Layers"]) > len(layers)


@pytest.mark.parametrize(("name", "parent"), CHILDREN)
def test_a_child_names_its_parent_as_its_base(name: str, parent: str, inspected: Any, reported: Any) -> None:
    labels = inspected[name]["Labels"]
    assert labels["int.skao.image.baseImage"] == reported[parent]["reference"]
    assert labels["org.opencontainers.image.base.name"] == reported[parent]["reference"]


@pytest.mark.parametrize("name", NAMES)
def test_an_image_is_as_old_as_the_report_says(name: str, inspected: Any, built: Built) -> None:
    assert inspected[name]["Created"] == built.report["created"]
    assert inspected[name]["Labels"]["int.skao.image.created"] == built.report["created"]


@pytest.mark.parametrize("name", NAMES)
def test_the_report_tells_every_check_and_all_passed(name: str, reported: Any) -> None:
    checks = reported[name]["checks"]
    assert checks
    assert [check["name"] for check in checks if not check["passed"]] == []


def test_the_labels_of_an_image_stand_in_its_metadata_file(unpacked: tuple[str, Path], inspected: Any) -> None:
    name, rootfs = unpacked
    lines = (rootfs / "etc/skao.metadata").read_text().splitlines()
    pairs = [match.groups() for line in lines if (match := re.fullmatch(r'int\.skao\.image\.(\w+)="(.*)"', line))]
    assert len(pairs) == len(lines)
    assert pairs == [(key, inspected[name]["Labels"][f"int.skao.image.{key}"]) for key in SKAO]


def test_an_unpacked_image_is_as_large_as_the_report_says(unpacked: tuple[str, Path], reported: Any) -> None:
    name, rootfs = unpacked
    size = int(call("du", "--summarize", "--apparent-size", "--block-size=1", rootfs).split()[0])
    assert size == pytest.approx(reported[name]["unpacked_size"], rel=0.01)


def test_an_unpacked_image_keeps_owners_and_modes(unpacked: tuple[str, Path]) -> None:
    _, rootfs = unpacked
    home, shadow = (rootfs / "home/nonroot").stat(), (rootfs / "etc/shadow").stat()
    assert (home.st_uid, home.st_gid) == (65532, 65532)
    assert (shadow.st_uid, shadow.st_mode & 0o777) == (0, 0o640)


@pytest.mark.parametrize("name", NAMES)
def test_buildah_starts_an_image_under_its_published_name(name: str, client: Client, reported: Any) -> None:
    assert client.run(reported[name]["reference"], "nonroot", "id", "-u") == "65532\n"
