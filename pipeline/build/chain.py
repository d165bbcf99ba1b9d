"""The lazy container of an image: its parent's, extended by its own layer and metadata."""

import dagger

from pipeline.build.inputs import Build
from pipeline.build.labelling import write_metadata
from pipeline.catalogue.image import Image
from pipeline.catalogue.lookup import find
from pipeline.steps.install import package_lists
from pipeline.steps.step import EPOCH, SNAPSHOT, SYSTEM


def chain(name: str, build: Build) -> dagger.Container:
    """Return the lazy container of an image; a build makes each once, because the SDK's calls take milliseconds.

    Raises:
        UnknownImageError: the catalogue has no such image.
    """
    if name not in build.chains:
        build.chains[name] = _chain(find(name), build)
    return build.chains[name]


def lists_of_line(image: Image, build: Build) -> dagger.Directory:
    """Return the package lists of a line, for the checks of its images and the installs of all but the first.

    The first image fetches them, because it has the certificates that its base lacks.
    """
    while image.parent is not None:
        image = find(image.parent)
    return package_lists(_dated(chain(image.name, build), image, build), image.name)


def _chain(image: Image, build: Build) -> dagger.Container:
    base = build.base_of(image)
    if image.parent is None:
        start, lists = base.container.with_env_variable(SYSTEM, base.distribution.os_release), None
    else:
        start, lists = chain(image.parent, build), lists_of_line(image, build)
    installed = image.install.on(_dated(start, image, build), image.name, lists)
    finished = installed.with_(write_metadata(image, build))
    for variable in (EPOCH, SNAPSHOT, SYSTEM):
        finished = finished.without_env_variable(variable)
    return finished


def _dated(container: dagger.Container, image: Image, build: Build) -> dagger.Container:
    # The time dates what the steps write, and makes each day's updates a step of their own; no image keeps it.
    if snapshot := build.snapshot_of(image):
        container = container.with_env_variable(SNAPSHOT, snapshot)
    return container.with_env_variable(EPOCH, build.settings.epoch)
