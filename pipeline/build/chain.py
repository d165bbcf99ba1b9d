"""The lazy container of an image: its parent's, extended by its own layer and metadata."""

import dagger

from pipeline.build.inputs import Build
from pipeline.build.labelling import write_metadata
from pipeline.catalogue.lookup import find
from pipeline.steps.step import EPOCH, SNAPSHOT


def chain(name: str, build: Build) -> dagger.Container:
    """Return the lazy container of an image.

    Raises:
        UnknownImageError: the catalogue has no such image.
    """
    image = find(name)
    start = build.base.container if image.parent is None else chain(image.parent, build)
    if build.settings.snapshot_id:
        start = start.with_env_variable(SNAPSHOT, build.settings.snapshot_id)
    # The time dates what the steps write, and makes each day's updates a step of their own; the image does not keep it.
    installed = image.install.on(start.with_env_variable(EPOCH, build.settings.epoch), image.name)
    return installed.with_(write_metadata(image, build)).without_env_variable(EPOCH).without_env_variable(SNAPSHOT)
