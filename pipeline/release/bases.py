"""The registry of the image that all others are built from: another one, and nobody's password goes there."""

import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from pipeline.build import Base
from pipeline.errors import RegistryError, ReleaseError, SettingsError
from pipeline.registry.access import Access
from pipeline.registry.address import Reference, parse_image
from pipeline.registry.registry import open_registry
from pipeline.registry.repository import Repository
from pipeline.release.published import find_published
from pipeline.settings import STAND_IN

_log = logging.getLogger(__name__)


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


async def require_base_layers(base: Base, layers: Sequence[str], platform: str, own: Access, *, required: bool) -> None:
    """Refuse an image that does not begin with the very layers of its base, which `verify` would refuse later.

    An engine that had the base from an archive before may pack it anew. A stand-in and an archive are in no registry.

    Args:
        base: that the image was built from.
        layers: the digests of the image's layers, the lowest first.
        platform: of the image, as in linux/amd64.
        own: how the registry of the images is reached.
        required: whether a base that cannot be looked at is an error.

    Raises:
        ReleaseError: the layers of the base are not the first, or cannot be looked at.
    """
    if not base.digest or STAND_IN.match(base.reference):
        return
    system, architecture, *_ = platform.split("/")
    try:
        async with open_upstream(base.reference, own) as upstream:
            found = await find_published(upstream.repository, base.digest, (system, architecture))
    except (RegistryError, SettingsError) as error:
        if required:
            raise ReleaseError(
                f"Whether the images begin with the layers of {base.reference} cannot be established, so nothing was "
                f"pushed: {error}"
            ) from error
        _log.warning("the layers of %s were not compared: %s", base.reference, error)
        return
    expected = [layer.digest for layer in found.manifest.layers] if found else []
    if not expected or list(layers[: len(expected)]) != expected:
        raise ReleaseError(
            f"The images do not begin with the layers of {base.reference} ({', '.join(expected) or 'none'}), because "
            "the engine packed them anew, so nothing was pushed; prune the engine's cache and run the same command "
            "again."
        )
