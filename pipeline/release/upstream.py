"""The base of all images: in its own registry, which gets no password, and in the images' layers."""

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
    """The base in its own registry."""

    reference: Reference
    repository: Repository


@contextlib.asynccontextmanager
async def open_upstream(base: str, own: Access) -> AsyncIterator[UpstreamBase]:
    """Open the repository of a base for the duration of a block; its requests are given up early.

    Args:
        base: the base's reference, as in ubuntu:22.04@sha256:….
        own: the access to the images' registry.

    Raises:
        SettingsError: the base is not a reference of an image in a registry.
        RegistryError: the environment's proxies or certificates cannot be used.
    """
    reference = parse_image(base)
    access = replace(own.without_login(), patience=replace(own.patience, attempts=2))
    async with open_registry(reference.address, access) as registry:
        yield UpstreamBase(reference, registry.repository(reference.name))


async def find_base(repository: Repository, digest: str, platform: Platform) -> Published | None:
    """Look up a base by its digest, and a platform's image if it is an index; None if there is none.

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
        raise RegistryError(f"{repository.path}@{manifest.digest} is for {found.platform}, not for {platform}.")
    return found


async def rests_on(image: Published, base: Published) -> bool:
    """Return whether an image begins with the layers of a base, by their content and not by any claim.

    Layers with the same digest are equal. An engine may have repacked a layer, so if digests differ, both layers are
    read and unpacked.

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
    """Return whether two layers are the same bytes with the same compression."""
    compressions = [layer.media_type.rpartition("tar")[2].lstrip("+.") for layer in (one, other)]
    return one.digest == other.digest and compressions[0] == compressions[1]


async def require_base_layers(base: Base, layers: Sequence[str], platform: str, own: Access, *, required: bool) -> None:
    """Refuse an image that does not begin with its base's exact layers, because `verify` would refuse it later.

    An engine that once imported the base from an archive may repack it. Stand-ins and archives are not in a registry,
    so they are not compared.

    Args:
        base: the base that the image was built from.
        layers: the digests of the image's layers, the lowest first.
        platform: the image's platform, as in linux/amd64.
        own: the access to the images' registry.
        required: whether it is an error that the base cannot be examined.

    Raises:
        ReleaseError: the image does not begin with the layers of the base, or the base cannot be examined.
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
                f"The layers of {base.reference} cannot be compared with those of the images, so nothing was pushed: "
                f"{error}"
            ) from error
        _log.warning("the layers of %s were not compared: %s", base.reference, error)
        return
    expected = [layer.digest for layer in found.manifest.layers] if found else []
    if not expected or list(layers[: len(expected)]) != expected:
        raise ReleaseError(
            f"The images do not begin with the layers of {base.reference} ({', '.join(expected) or 'none'}), because "
            "the engine repacked them, so nothing was pushed; prune the engine's cache and run the same command again."
        )
