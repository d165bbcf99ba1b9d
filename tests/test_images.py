"""The catalogue: its order, its errors, and the checks that images inherit."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import steps
from pipeline.build.settings import Settings
from pipeline.catalogue.families import CATALOGUE, by_name, checks_of, find
from pipeline.catalogue.image import Image
from pipeline.errors import CatalogueError, SettingsError, UnknownImageError
from pipeline.steps import install_poetry

BASE, BUILD, BUILD_PYTHON, PYTHON = CATALOGUE


def names(images: list[Image]) -> list[str]:
    return list(by_name(images))


def test_the_images_are_those_of_the_documentation() -> None:
    assert list(by_name()) == ["ska-base", "ska-build", "ska-build-python", "ska-python"]


def test_parents_come_before_children_whatever_the_order() -> None:
    assert names([BUILD_PYTHON, PYTHON, BUILD, BASE]) == ["ska-base", "ska-build", "ska-build-python", "ska-python"]


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


def test_poetry_s_lock_holds_the_version_of_the_settings() -> None:
    assert callable(install_poetry("ska-build", Settings().poetry))


def test_another_version_of_poetry_than_the_lock_s_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"'poetry' is '1.8.3', which is not the version in poetry.lock"):
        install_poetry("ska-build", "1.8.3")


def test_poetry_s_lock_names_no_index() -> None:
    lock = Path(steps.__file__).parent.parent / "data" / "poetry.lock"
    assert "://" not in lock.read_text()
