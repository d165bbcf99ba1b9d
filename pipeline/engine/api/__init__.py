"""Dagger's API mapped onto the engine: one function for each field that is served."""

# Importing registers: the fields here, and what makes each kind of node there.
from pipeline.engine import bases, bootstrap, difference, download, files, pack, steps
from pipeline.engine.api import (
    container,
    container_config,
    container_files,
    container_image,
    container_mounts,
    directory,
    file,
    healthcheck,
    query,
)
from pipeline.engine.api.fields import SERVED, Engine

MAKERS = (bases, bootstrap, difference, download, files, pack, steps)
FIELDS = (
    container,
    container_config,
    container_files,
    container_image,
    container_mounts,
    directory,
    file,
    healthcheck,
    query,
)

__all__ = ["FIELDS", "MAKERS", "SERVED", "Engine"]
