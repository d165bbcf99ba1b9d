"""The catalogue of images, and what each adds to its parent.

A new image is a step and an entry of CATALOGUE; order, tags, checks, documentation and tests follow from it.
"""

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import dagger

from pipeline import checks
from pipeline.build.inputs import EPOCH, SNAPSHOT, Build, Step
from pipeline.build.labelling import write_metadata
from pipeline.catalogue.image import MEGABYTE, Image
from pipeline.checks import Check
from pipeline.errors import CatalogueError, UnknownImageError
from pipeline.steps import install_packages, install_poetry, prepare_base


def _ska_base(_: Build) -> Step:
    return prepare_base("ska-base")


def _ska_build(build: Build) -> Step:
    def step(container: dagger.Container) -> dagger.Container:
        return container.with_(install_poetry("ska-build", build.settings.poetry))

    return step


def _ska_build_python(_: Build) -> Step:
    def step(container: dagger.Container) -> dagger.Container:
        return (
            container.with_(install_packages("ska-build-python", "python3-venv", "git"))
            .with_env_variable("POETRY_NO_INTERACTION", "1")
            .with_env_variable("POETRY_VIRTUALENVS_IN_PROJECT", "1")
        )

    return step


def _ska_python(_: Build) -> Step:
    return install_packages("ska-python", "python3", "python-is-python3")


CATALOGUE: tuple[Image, ...] = (
    Image(
        name="ska-base",
        parent=None,
        title="SKA base image",
        description="The base of all images: security updates, certificates and an unprivileged user.",
        install=_ska_base,
        checks=checks.ALL_IMAGES,
        size_budget=200 * MEGABYTE,
    ),
    Image(
        name="ska-build",
        parent="ska-base",
        title="SKA build image",
        description="Builds software: Python, pip, pipx, Poetry and a C++ compiler.",
        install=_ska_build,
        checks=checks.BUILD,
        size_budget=720 * MEGABYTE,
    ),
    Image(
        name="ska-build-python",
        parent="ska-build",
        title="SKA build image for Python",
        description="Builds Python applications: the build image with venv, git and Poetry set up for containers.",
        install=_ska_build_python,
        checks=checks.BUILD_PYTHON,
        size_budget=770 * MEGABYTE,
    ),
    Image(
        name="ska-python",
        parent="ska-base",
        title="SKA runtime image for Python",
        description="Runs Python applications: Python only, without pip, compiler or headers.",
        install=_ska_python,
        checks=checks.PYTHON,
        size_budget=240 * MEGABYTE,
    ),
)


def by_name(images: Iterable[Image] = CATALOGUE) -> Mapping[str, Image]:
    """Return the images under their names, parents before children, in the catalogue's order.

    Raises:
        CatalogueError: a name stands twice, a parent does not exist, or images are each other's parents.
    """
    listed = list(images)
    known = {image.name: image for image in listed}
    if len(known) < len(listed):
        names = [image.name for image in listed]
        twice = next(name for name in names if names.count(name) > 1)
        raise CatalogueError(f"The catalogue holds the image {twice!r} twice; rename one.")
    placed: dict[str, Image] = {}
    for image in listed:
        for ancestor in reversed(_lineage(image, known)):
            placed.setdefault(ancestor.name, ancestor)
    return MappingProxyType(placed)


def find(name: str, images: Iterable[Image] = CATALOGUE) -> Image:
    """Return the image of that name.

    Raises:
        UnknownImageError: there is none; the nearest name is suggested.
    """
    known = by_name(images)
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    raise UnknownImageError(f"There is no image {name!r}; did you mean {near[0]!r}? The images are {', '.join(known)}.")


def chain(name: str, build: Build) -> dagger.Container:
    """Return the lazy container of an image: its parent's, with its own step and metadata on top.

    Raises:
        UnknownImageError: there is no such image.
    """
    image = find(name)
    start = build.base.container if image.parent is None else chain(image.parent, build)
    if build.settings.snapshot_id:
        start = start.with_env_variable(SNAPSHOT, build.settings.snapshot_id)
    return (
        # The moment dates what the steps write and makes another day's updates another step; it is no part
        # of the image.
        start.with_env_variable(EPOCH, build.settings.epoch)
        .with_(image.install(build))
        .with_(write_metadata(image, build))
        .without_env_variable(EPOCH)
        .without_env_variable(SNAPSHOT)
    )


def checks_of(image: Image, images: Iterable[Image] = CATALOGUE) -> tuple[Check, ...]:
    """Return the checks of an image's parents that it does not contradict, and its own."""
    inherited = () if image.parent is None else checks_of(by_name(images)[image.parent], images)
    return (*(check for check in inherited if check.name not in image.contradicts), *image.checks)


def _lineage(image: Image, known: Mapping[str, Image]) -> list[Image]:
    lineage = [image]
    while (parent := lineage[-1].parent) is not None:
        if parent not in known:
            raise CatalogueError(
                f"The parent {parent!r} of the image {lineage[-1].name!r} is not in the catalogue; "
                "add it or correct the name."
            )
        if known[parent] in lineage:
            names = " → ".join([*(one.name for one in lineage), parent])
            raise CatalogueError(f"The images {names} are built from each other; break the circle.")
        lineage.append(known[parent])
    return lineage
