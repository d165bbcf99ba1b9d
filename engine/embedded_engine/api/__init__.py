"""Dagger's API mapped onto the engine: one function for each field that is served."""

# Importing registers: the fields here, and what makes each kind of node there.
from embedded_engine.api import (
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
from embedded_engine.api.fields import SERVED, Engine
from embedded_engine.make import bases, bootstrap, difference, download, edits, execution, pack

MAKERS = (bases, bootstrap, difference, download, edits, pack, execution)
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
