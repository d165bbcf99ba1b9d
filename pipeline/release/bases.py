"""The registry of the image that all others are built from: another one, and nobody's password goes there."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from pipeline.registry.access import Access
from pipeline.registry.address import Reference, parse_image
from pipeline.registry.registry import open_registry
from pipeline.registry.repository import Repository


@dataclass(frozen=True)
class Upstream:
    """The image at the root, where it comes from."""

    reference: Reference
    repository: Repository


@contextlib.asynccontextmanager
async def open_upstream(base: str, own: Access) -> AsyncIterator[Upstream]:
    """Open the repository of a base for the time of a block.

    Args:
        base: as in ubuntu:22.04@sha256:….
        own: how the registry of the images is reached.

    Raises:
        SettingsError: the base is no reference of an image in a registry.
        RegistryError: in the block, by what is asked of it; nobody waits long for an answer.
    """
    reference = parse_image(base)
    access = replace(own, username="", password=None, patience=replace(own.patience, attempts=2))
    async with open_registry(reference.address, access) as registry:
        yield Upstream(reference, registry.repository(reference.name))
