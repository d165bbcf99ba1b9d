"""The catalogue: its order, its errors, and the checks that images inherit."""

from dataclasses import replace
from typing import Any

import pytest

from pipeline.catalogue.families import FAMILIES
from pipeline.catalogue.image import Image, product
from pipeline.catalogue.lines import LINES, find_line
from pipeline.catalogue.lookup import CATALOGUE, by_name, checks_of, find, of_lines, select, the_only
from pipeline.checks.distribution import DISTRIBUTIONS, distribution_named, read_os_release
from pipeline.errors import CatalogueError, UnknownImageError, UnknownLineError
from pipeline.steps.install import UNWANTED, build_tools, locked_version

NAMES = ["ska-base", "ska-build", "ska-build-python", "ska-python"]
BASE, BUILD, BUILD_PYTHON, PYTHON = (find(name) for name in NAMES)


def changed(image: Image, **changes: Any) -> Image:
    """Return an image of a changed family."""
    return replace(image, family=replace(image.family, **changes))


def names(images: list[Image]) -> list[str]:
    return list(by_name(images))


def test_parents_come_before_children_whatever_the_order() -> None:
    assert names([BUILD_PYTHON, PYTHON, BUILD, BASE]) == NAMES


def test_an_unknown_parent_is_named() -> None:
    with pytest.raises(CatalogueError, match=r"The parent 'ska-bsae' of the image 'ska-python' is not"):
        by_name([BASE, changed(PYTHON, parent="ska-bsae")])


def test_a_circle_of_parents_is_named() -> None:
    circle = [changed(BASE, parent="ska-build-python"), BUILD, BUILD_PYTHON]
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
    build = changed(BUILD, contradicts=frozenset({"locale"}))
    inherited = checks_of(BUILD_PYTHON, [BASE, build, BUILD_PYTHON])
    assert "locale" not in [check.name for check in inherited]


@pytest.mark.parametrize("image", CATALOGUE, ids=lambda image: image.name)
def test_no_image_has_two_checks_of_one_name(image: Image) -> None:
    found = [check.name for check in checks_of(image)]
    assert len(found) == len(set(found))


def test_every_family_is_on_every_line_with_the_suffix_of_the_line() -> None:
    families = [family.name for family in FAMILIES]
    assert set(of_lines(["ubuntu24"])) == {f"{name}-ubuntu24" for name in families}
    assert set(by_name()) == {name + line.suffix for line in LINES for name in families}


def test_an_image_is_built_from_the_image_of_its_line() -> None:
    assert find("ska-python-ubuntu26").parent == "ska-base-ubuntu26"


def test_a_line_can_lack_a_family() -> None:
    family = replace(PYTHON.family, without=frozenset({"ubuntu24"}))
    images = list(product((BASE.family, family), LINES))
    assert [image.name for image in images if image.line.name == "ubuntu24"] == ["ska-base-ubuntu24"]
    with pytest.raises(
        UnknownImageError, match=r"ubuntu24 does not have the image 'ska-python', and .* has it; give --line ubuntu22\."
    ):
        select(["ska-python"], ["ubuntu24"], images)


def test_a_family_on_a_line_that_lacks_its_parent_is_named() -> None:
    families = (replace(BASE.family, without=frozenset({"ubuntu24"})), PYTHON.family)
    with pytest.raises(CatalogueError, match="parent 'ska-base-ubuntu24' of the image 'ska-python-ubuntu24' is not in"):
        by_name(product(families, LINES))


def test_a_family_stands_for_its_images_on_each_line() -> None:
    found = select(["ska-python"], ["ubuntu22", "ubuntu24"])
    assert [image.name for image in found] == ["ska-python", "ska-python-ubuntu24"]


def test_no_name_stands_for_all_images_of_the_lines() -> None:
    assert [image.name for image in select([], ["ubuntu22"])] == list(of_lines(["ubuntu22"]))


def test_an_image_of_another_line_is_refused_with_that_line() -> None:
    with pytest.raises(
        UnknownImageError, match=r"ubuntu22 does not have .*, and ubuntu26 has it; give --line ubuntu26"
    ):
        select(["ska-python-ubuntu26"], ["ubuntu22"])


def test_an_image_that_no_line_has_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownImageError, match=r"no image 'ska-pyton'; did you mean 'ska-python-ubuntu24'\?"):
        select(["ska-pyton"], ["ubuntu24"])


def test_one_image_is_not_chosen_among_those_of_several_lines() -> None:
    assert the_only("ska-python", ["ubuntu26"]).name == "ska-python-ubuntu26"
    with pytest.raises(
        UnknownImageError, match=r"several images of 'ska-python': ska-python, ska-python-ubuntu24; give"
    ):
        the_only("ska-python", ["ubuntu22", "ubuntu24"])


def test_the_nearest_line_is_suggested_for_an_unknown_one() -> None:
    with pytest.raises(
        UnknownLineError, match=r"no line 'ubuntu-24'; did you mean 'ubuntu24'\? The lines are ubuntu22"
    ):
        find_line("ubuntu-24")


def test_the_checks_know_the_distribution_of_every_line_and_stand_in() -> None:
    assert {name for line in LINES for name in (line.distribution, line.stand_in)} <= DISTRIBUTIONS.keys()


def test_the_nearest_distribution_is_suggested_for_an_unknown_one() -> None:
    with pytest.raises(CatalogueError, match=r"nothing about the distribution 'debian-31'; did you mean 'debian-13'\?"):
        distribution_named("debian-31")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('ID=ubuntu\nVERSION_ID="24.04"\n', "ubuntu-24.04"),
        ("ID=debian\nVERSION_CODENAME=forky\n", "debian-"),
        ("", "-"),
    ],
)
def test_a_system_is_named_by_its_os_release(text: str, found: str) -> None:
    assert read_os_release(text) == found


def test_only_the_first_image_of_a_line_removes_what_the_base_brings() -> None:
    assert find("ska-base-ubuntu26").install.files[UNWANTED] == "user ubuntu\npath /usr/bin/pebble\n"
    assert UNWANTED not in find("ska-python-ubuntu26").install.files


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
