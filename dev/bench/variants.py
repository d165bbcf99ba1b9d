"""Copies of this project with a changed catalogue, to measure the cost of a maintainer's change."""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: The files of a checkout that the command line reads.
PARTS = ("pipeline", "pyproject.toml")
#: The catalogue's module; code appended to it changes the images.
CATALOGUE = Path("pipeline/catalogue/families.py")
#: ska-python installs one more package.
CHANGED_PYTHON = """
from dataclasses import replace

def with_less(family):
    return replace(family, install=replace(family.install, arguments=(*family.install.arguments, "less")))

FAMILIES = tuple(with_less(family) if family.name == "ska-python" else family for family in FAMILIES)
"""
#: Four more children: two with a small package, two with files only.
EIGHT_IMAGES = """
from pipeline.steps.install import Install

FAMILIES += tuple(
    Family(
        name=name,
        parent=parent,
        title=name,
        description=name,
        install=install,
        checks=(),
        size_budget=800 * MEGABYTE,
    )
    for name, parent, install in (
        ("bench-less", "ska-python", packages("less")),
        ("bench-variable", "ska-python", Install((), environment={"BENCH": "1"})),
        ("bench-bc", "ska-base", packages("bc")),
        ("bench-tools", "ska-build-python", Install((), environment={"BENCH": "2"})),
    )
)
"""
#: Small siblings. Each sets one variable, which no sibling of another count sets.
MANY_IMAGES = """
from pipeline.steps.install import Install

FAMILIES += tuple(
    Family(
        name=f"bench-{{number}}",
        parent="ska-base",
        title=f"bench-{{number}}",
        description=f"bench-{{number}}",
        install=Install((), environment={{"BENCH": "{count} " + str(number)}}),
        checks=(),
        size_budget=200 * MEGABYTE,
    )
    for number in range({count})
)
"""


def copy(directory: Path, more: str = "") -> Path:
    """Copy the programs of this checkout into a new directory.

    Args:
        directory: a path that does not exist yet.
        more: Python code to append to the catalogue.
    """
    directory.mkdir(parents=True)
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, directory / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, directory / part)
    with (directory / CATALOGUE).open("a") as catalogue:
        catalogue.write(more)
    return directory


def with_changed_python(directory: Path) -> Path:
    """Let ska-python install one package more."""
    return copy(directory, CHANGED_PYTHON)


def with_eight_images(directory: Path) -> Path:
    """Add four images to the catalogue."""
    return copy(directory, EIGHT_IMAGES)


def with_many_images(directory: Path, count: int) -> Path:
    """Add small children of ska-base to the catalogue."""
    return copy(directory, MANY_IMAGES.format(count=count))
