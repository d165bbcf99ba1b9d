"""The image that all others are built from: in another registry, where nobody's password goes, and in their layers."""

import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pipeline.build.inputs import Base
from pipeline.concurrency import concurrently
from pipeline.errors import RegistryError, ReleaseError, SettingsError
from pipeline.registry.access import Access
from pipeline.registry.address import Reference, parse_image
from pipeline.registry.index import Platform, choose
from pipeline.registry.manifest import Descriptor
from pipeline.registry.registry import open_registry
from pipeline.registry.repository import Repository
from pipeline.release.published import Published, read_configuration
from pipeline.release.unpacked import unpacked_digest

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class UpstreamBase:
    """The image at the root, where it comes from."""

    reference: Reference
    repository: Repository


@contextlib.asynccontextmanager
async def open_upstream(base: str, own: Access) -> AsyncIterator[UpstreamBase]:
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
        yield UpstreamBase(reference, registry.repository(reference.name))


async def find_base(repository: Repository, digest: str, platform: Platform) -> Published | None:
    """Look up a base by its digest, and in an index the one image of a platform; None where there is none.

    Raises:
        RegistryError: the registry refuses, or clients may choose different images.
    """
    manifest = await repository.manifest(digest)
    if manifest and manifest.is_index:
        entry = choose(manifest, platform)
        manifest = await repository.manifest(entry.digest)
        if manifest and (manifest.media_type, len(manifest.raw)) != (entry.media_type, entry.size):
            raise RegistryError(f"The index {digest} describes {entry.digest} with another type or size than it has.")
    if manifest is None:
        return None
    try:
        found = Published(repository, manifest, await read_configuration(repository, manifest))
    except ValueError as error:
        raise RegistryError(f"{repository.path}@{manifest.digest} is not an image ({error}).") from error
    if not found.platform.equals(platform):
        raise RegistryError(f"{repository.path}@{manifest.digest} is for {found.platform}, and not for {platform}.")
    return found


async def rests_on(image: Published, base: Published) -> bool:
    """Tell whether the first layers of an image are those of a base, by what they hold and not by what is claimed.

    Layers of the same digest are the same. An engine may have packed them anew, so others are read and unpacked, those
    of the base as well.

    Raises:
        RegistryError: the registry refuses, or a layer cannot be unpacked.
    """
    count = len(base.manifest.layers)
    if not count or image.diff_ids[:count] != base.diff_ids:
        return False
    for own, its, diff_id in zip(image.manifest.layers, base.manifest.layers, base.diff_ids, strict=False):
        if _same(own, its):
            continue
        packed = ((image.repository, own), (base.repository, its))
        if set(await concurrently([partial(unpacked_digest, *one) for one in packed])) != {diff_id}:
            return False
    return True


def _same(one: Descriptor, other: Descriptor) -> bool:
    """Tell whether two layers are the same bytes, unpacked in the same way."""
    ways = [layer.media_type.rpartition("tar")[2].lstrip("+.") for layer in (one, other)]
    return one.digest == other.digest and ways[0] == ways[1]


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
    if not base.digest:
        return
    system, architecture, *_ = platform.split("/")
    try:
        async with open_upstream(base.reference, own) as upstream:
            found = await find_base(upstream.repository, base.digest, Platform(system, architecture))
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
