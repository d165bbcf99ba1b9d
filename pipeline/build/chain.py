"""The lazy container of an image: its parent's, extended by its own layer and metadata."""

import dagger

from pipeline.build.inputs import Build
from pipeline.build.labelling import write_metadata
from pipeline.catalogue.lookup import find
from pipeline.steps.step import EPOCH, SNAPSHOT, SYSTEM


def chain(name: str, build: Build) -> dagger.Container:
    """Return the lazy container of an image.

    Raises:
        UnknownImageError: the catalogue has no such image.
    """
    image = find(name)
    base = build.base_of(image)
    if image.parent is None:
        start = base.container.with_env_variable(SYSTEM, base.distribution.os_release)
    else:
        start = chain(image.parent, build)
    if snapshot := build.snapshot_of(image):
        start = start.with_env_variable(SNAPSHOT, snapshot)
    # The time dates what the steps write, and makes each day's updates a step of their own; the image does not keep it.
    installed = image.install.on(start.with_env_variable(EPOCH, build.settings.epoch), image.name)
    finished = installed.with_(write_metadata(image, build))
    for name in (EPOCH, SNAPSHOT, SYSTEM):
        finished = finished.without_env_variable(name)
    return finished
