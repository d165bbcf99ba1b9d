"""The container of an image: its parent's, extended by its own layer and metadata."""

import dagger

from pipeline.build.inputs import Build
from pipeline.build.labelling import write_metadata
from pipeline.catalogue.lookup import find
from pipeline.metadata import PYTHON_LABEL
from pipeline.steps.step import EPOCH, SNAPSHOT

_MINOR_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


async def chain(name: str, build: Build) -> dagger.Container:
    """Return the container of an image, which is lazy but for the layer that brings Python: its version is a label.

    Raises:
        UnknownImageError: the catalogue has no such image.
        dagger.ExecError: Python cannot be installed.
    """
    image = find(name)
    start = build.base.container if image.parent is None else await chain(image.parent, build)
    if build.settings.snapshot_id:
        start = start.with_env_variable(SNAPSHOT, build.settings.snapshot_id)
    # The time dates what the steps write, and makes each day's updates a step of their own; the image does not keep it.
    installed = image.install.on(start.with_env_variable(EPOCH, build.settings.epoch), image.name)
    if image.install.brings_python:
        command = ["python3", "-c", _MINOR_VERSION]
        installed = installed.with_label(PYTHON_LABEL, (await installed.with_exec(command).stdout()).strip())
    return installed.with_(write_metadata(image, build)).without_env_variable(EPOCH).without_env_variable(SNAPSHOT)
