"""The lazy container of an image: its parent's, with its own layer and its metadata on top."""

import dagger

from pipeline.build.inputs import Build
from pipeline.build.labelling import write_metadata
from pipeline.catalogue.lookup import find
from pipeline.steps.step import EPOCH, SNAPSHOT


def chain(name: str, build: Build) -> dagger.Container:
    """Return the lazy container of an image.

    Raises:
        UnknownImageError: there is no such image.
    """
    image = find(name)
    start = build.base.container if image.parent is None else chain(image.parent, build)
    if build.settings.snapshot_id:
        start = start.with_env_variable(SNAPSHOT, build.settings.snapshot_id)
    # The moment dates what the steps write and makes another day's updates another step; the image does not keep it.
    installed = image.install.on(start.with_env_variable(EPOCH, build.settings.epoch), image.name)
    return installed.with_(write_metadata(image, build)).without_env_variable(EPOCH).without_env_variable(SNAPSHOT)
