"""Dagger's API on the engine: one function for each served field.

fields            the served fields, and the way from a request to its function
query             the root fields, secrets, and the client's host
container         fields that start a container from an image and run commands in it
container_config  fields that read or change the image configuration
container_files   fields that read or change a container's files
container_mounts  mounts and secrets, which only execs see
container_image   archives of a container, publishing, and logins to registries
directory         fields of Directory
file              fields of File and Stat
paths             looks up a path of a file system
"""

# These imports register the served fields, and the makers of each kind of node.
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
