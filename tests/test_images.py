"""The catalogue: its order, its errors, and the checks that images inherit."""

from dataclasses import replace

import pytest

from pipeline.catalogue.families import CATALOGUE
from pipeline.catalogue.image import Image
from pipeline.catalogue.lookup import by_name, checks_of, find
from pipeline.errors import CatalogueError, UnknownImageError
from pipeline.steps.install import build_tools, locked_version

NAMES = ["ska-base", "ska-build", "ska-build-python", "ska-python"]
BASE, BUILD, BUILD_PYTHON, PYTHON = (find(name) for name in NAMES)


def names(images: list[Image]) -> list[str]:
    return list(by_name(images))


def test_parents_come_before_children_whatever_the_order() -> None:
    assert names([BUILD_PYTHON, PYTHON, BUILD, BASE]) == NAMES


def test_an_unknown_parent_is_named() -> None:
    with pytest.raises(CatalogueError, match=r"The parent 'ska-bsae' of the image 'ska-python' is not"):
        by_name([BASE, replace(PYTHON, parent="ska-bsae")])


def test_a_circle_of_parents_is_named() -> None:
    circle = [replace(BASE, parent="ska-build-python"), BUILD, BUILD_PYTHON]
    with pytest.raises(CatalogueError, match="ska-base → ska-build-python → ska-build → ska-base"):
        by_name(circle)


def test_a_name_that_stands_twice_is_named() -> None:
    with pytest.raises(CatalogueError, match="the image 'ska-base' twice"):
        by_name([BASE, BUILD, BASE])


def test_the_nearest_name_is_suggested_for_an_unknown_image() -> None:
    with pytest.raises(UnknownImageError, match=r"There is no image 'ska-pyhton'; did you mean 'ska-python'\?"):
        find("ska-pyhton")


def test_an_image_has_its_parents_checks_before_its_own() -> None:
    assert checks_of(BUILD_PYTHON) == (*BASE.checks, *BUILD.checks, *BUILD_PYTHON.checks)


def test_an_image_and_its_children_lack_the_checks_that_it_contradicts() -> None:
    build = replace(BUILD, contradicts=frozenset({"locale"}))
    inherited = checks_of(BUILD_PYTHON, [BASE, build, BUILD_PYTHON])
    assert "locale" not in [check.name for check in inherited]


@pytest.mark.parametrize("image", CATALOGUE, ids=lambda image: image.name)
def test_no_image_has_two_checks_of_one_name(image: Image) -> None:
    found = [check.name for check in checks_of(image)]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("tool", ["poetry", "uv"])
def test_the_version_of_a_tool_is_that_of_the_lock(tool: str) -> None:
    (lock,) = build_tools().files.values()
    assert f"\n{tool}=={locked_version(tool)} " in lock


def test_a_tool_that_the_lock_lacks_is_an_error_with_the_remedy() -> None:
    with pytest.raises(CatalogueError, match=r"does not pin pdm; add it to python-tools\.in and run `make lock`"):
        locked_version("pdm")


def test_the_lock_of_tools_names_no_index() -> None:
    (lock,) = build_tools().files.values()
    assert "://" not in lock
