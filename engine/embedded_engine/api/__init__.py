"""Dagger's API mapped onto the engine: one function for each field that is served.

fields            which fields are served, and how a request reaches its function
query             the root fields, secrets, and the host of the client
container         fields that start a container from an image and run commands in it
container_config  fields that read or change the image configuration
container_files   fields that read or change its files
container_mounts  mounts and secrets, which only its execs see
container_image   archives of a container, and logins to registries
directory         fields of Directory
file              fields of File and Stat
paths             what is at a path of a file system
"""

# Importing registers: the fields here, and what makes each kind of node there.
from embedded_engine.api import (
    container,
    container_config,
    container_files,
    container_image,
    container_mounts,
    directory,
    file,
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
    query,
)

__all__ = ["FIELDS", "MAKERS", "SERVED", "Engine"]
