"""What the finished images are, in their archives and through the SDK."""

import json
import tarfile
from pathlib import Path
from typing import Any

import dagger
import pytest

from dev.reproduce.archive import open_archive
from pipeline.build.inputs import Build
from pipeline.catalogue.lookup import checks_of
from tests.built_images import OF_ONE_LINE
from tests.conftest import Built

NAMES = tuple(OF_ONE_LINE)
CHILDREN = tuple(name for name, image in OF_ONE_LINE.items() if image.parent)


def entry(built: Built, name: str) -> dict[str, Any]:
    (found,) = [image for image in built.report["images"] if image["name"] == name]
    return dict(found)


def config(archive: Path) -> dict[str, Any]:
    """Read the `config` of the image in an OCI archive."""
    with tarfile.open(archive) as tar:

        def blob(descriptor: dict[str, Any]) -> dict[str, Any]:
            file = tar.extractfile("blobs/sha256/" + descriptor["digest"].removeprefix("sha256:"))
            assert file is not None
            return dict(json.load(file))

        index = tar.extractfile("index.json")
        assert index is not None
        manifest = blob(json.load(index)["manifests"][0])
        return dict(blob(manifest["config"])["config"])


def test_the_report_lists_the_images_in_the_catalogue_s_order(built: Built) -> None:
    assert tuple(image["name"] for image in built.report["images"]) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_all_checks_of_an_image_have_run_and_passed(built: Built, name: str) -> None:
    found = [(check["name"], check["passed"]) for check in entry(built, name)["checks"]]
    assert found == [(check.name, True) for check in checks_of(OF_ONE_LINE[name])]


@pytest.mark.parametrize("name", NAMES)
def test_the_manifest_names_the_time_and_the_base_as_the_labels_do(archives: dict[str, Path], name: str) -> None:
    with open_archive(archives[name]) as archive:
        annotations, labels = archive.manifest["annotations"], archive.configuration["config"]["Labels"]
    assert annotations.keys() >= {"org.opencontainers.image.created", "org.opencontainers.image.base.name"}
    assert {key: value for key, value in annotations.items() if key in labels} == {
        key: value for key, value in labels.items() if key in annotations
    }


@pytest.mark.parametrize("name", CHILDREN)
def test_the_manifest_names_the_digest_of_its_parent_s_manifest(archives: dict[str, Path], name: str) -> None:
    with open_archive(archives[name]) as child, open_archive(archives[str(OF_ONE_LINE[name].parent)]) as parent:
        assert child.manifest["annotations"]["org.opencontainers.image.base.digest"] == parent.digest


@pytest.mark.parametrize("name", CHILDREN)
def test_a_parent_s_layers_are_the_first_of_its_child(built: Built, name: str) -> None:
    child = entry(built, name)
    parent = entry(built, child["parent"])
    assert child["layers"][: len(parent["layers"])] == parent["layers"]


@pytest.mark.parametrize("name", NAMES)
def test_an_image_adds_one_layer_and_its_metadata(built: Built, name: str) -> None:
    image = entry(built, name)
    below = len(entry(built, image["parent"])["layers"]) if image["parent"] else 1
    assert len(image["layers"]) == below + 2


@pytest.mark.parametrize("name", CHILDREN)
def test_the_base_image_s_label_is_the_parent_s_reference(archives: dict[str, Path], built: Built, name: str) -> None:
    parent = entry(built, entry(built, name)["parent"])
    assert config(archives[name])["Labels"]["int.skao.image.baseImage"] == parent["reference"]


def test_the_base_image_s_label_of_the_first_is_the_base(archives: dict[str, Path], built: Built) -> None:
    assert config(archives["ska-base"])["Labels"]["int.skao.image.baseImage"] == built.report["lines"][0]["base"]


@pytest.mark.parametrize("name", CHILDREN)
def test_no_image_claims_its_grandparent_s_digest(archives: dict[str, Path], name: str) -> None:
    assert "org.opencontainers.image.base.digest" not in config(archives[name])["Labels"]


@pytest.mark.parametrize("name", NAMES)
def test_an_image_starts_bash_as_root(archives: dict[str, Path], name: str) -> None:
    found = config(archives[name])
    assert (found.get("Cmd"), found.get("Entrypoint"), found.get("User", "")) == (["bash"], None, "")


@pytest.mark.parametrize("name", NAMES)
def test_the_moment_of_the_build_is_no_variable_of_the_image(archives: dict[str, Path], name: str) -> None:
    names = {variable.partition("=")[0] for variable in config(archives[name])["Env"]}
    assert "SOURCE_DATE_EPOCH" not in names


@pytest.mark.parametrize("name", NAMES)
def test_a_dockerfile_can_extend_the_path(archives: dict[str, Path], name: str) -> None:
    (path,) = [value for value in config(archives[name])["Env"] if value.startswith("PATH=")]
    assert path.removeprefix("PATH=").removeprefix("/root/.local/bin:").startswith("/usr/local/sbin:")


@pytest.mark.parametrize("name", NAMES)
async def test_no_byte_code_is_younger_than_its_source(
    images: dict[str, dagger.Container], build: Build, name: str
) -> None:
    # Byte code that holds its source's time is stale when times are clamped, and then compiled at every start;
    # the flags that say how it is checked are the second word: https://peps.python.org/pep-0552/
    script = """
    find / -xdev -name '*.pyc' | while read -r file; do
        case $(od -An -tu4 -j4 -N4 "$file") in *0) echo "$file" ;; esac
    done
    """
    assert await images[name].with_exec(["sh", "-euc", script, "find byte code"]).stdout() == ""
