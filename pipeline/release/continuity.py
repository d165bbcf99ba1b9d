"""What a version may take from those who build on the images: only a new major version takes anything."""

import logging
from collections.abc import Mapping
from functools import partial

from pipeline.build.inputs import Build
from pipeline.build.version import Version
from pipeline.catalogue.image import Image
from pipeline.checks.contract import PATH, RECORD, Contract, Difference, differences, parse, recorded
from pipeline.concurrency import concurrently
from pipeline.errors import RegistryError, ReleaseError
from pipeline.registry.registry import Registry
from pipeline.release.files import FileReader
from pipeline.release.published import Published, find_published
from pipeline.release.tags import newest

_log = logging.getLogger(__name__)
#: Where a contract stands in the layers of its image.
IN_LAYERS = PATH.removeprefix("/")


async def require_continuity(build: Build, registry: Registry) -> None:
    """Refuse a minor or patch version that takes something from consumers of the version before it.

    Args:
        build: the settings with the version, and the bases.
        registry: where the versions before it are.

    Raises:
        ReleaseError: an image has no contract, or a contract lost or changed something.
        CatalogueError: a committed contract is damaged.
        RegistryError: the registry refuses, or the contract of a published image is damaged.
    """
    version, reader = build.settings.version, contract_reader()
    jobs = [partial(_broken, image, build, registry, reader) for image in build.images.values()]
    if broken := [clause for found in await concurrently(jobs) for clause in found]:
        major = Version(version).numbers[0] + 1
        raise ReleaseError(
            f"{version} takes what consumers rely on: {'; '.join(broken)}; publish {major}.0.0, or restore it."
        )


def contract_in(files: Mapping[str, bytes], image: Published) -> Contract | None:
    """Return the contract among the files of a published image; None for an image without one.

    Args:
        files: their contents by their paths, IN_LAYERS among them.
        image: for the sentence.

    Raises:
        RegistryError: the contract is damaged.
    """
    if IN_LAYERS not in files:
        return None
    try:
        return parse(files[IN_LAYERS])
    except ValueError as error:
        raise RegistryError(f"The contract in {image.reference()} cannot be read: {error}.") from error


def contract_reader() -> FileReader:
    """Return a reader of contracts alone."""
    return FileReader(lambda path: path == IN_LAYERS)


async def contract_of(image: Published, reader: FileReader) -> Contract | None:
    """Return the contract of a published image; None for an image without one.

    Args:
        image: the image.
        reader: reads at least IN_LAYERS.

    Raises:
        RegistryError: the registry refuses, or the contract is damaged.
    """
    return contract_in(await reader.read(image, enough=lambda found: IN_LAYERS in found), image)


async def _broken(image: Image, build: Build, registry: Registry, reader: FileReader) -> list[str]:
    """Return what an image lost or changed, a clause each."""
    version, distribution = Version(build.settings.version), build.base_of(image).distribution
    contract = recorded(image.name, distribution)
    if contract is None:
        if distribution.is_rolling:
            return []
        raise ReleaseError(
            f"{image.name} has no contract on {distribution.name}, which a final version keeps; record it with "
            f"{RECORD}, and commit it."
        )
    repository = registry.repository(image.name)
    finals = (tag for tag in await repository.tags() if Version(tag).is_final)
    before = newest(tag for tag in finals if Version(tag).numbers < version.numbers)
    if not before or Version(before).numbers[0] < version.numbers[0]:
        return []
    published = await find_published(repository, before)
    kept = await contract_of(published, reader) if published else None
    if kept is None:
        _log.warning("%s:%s holds no contract, so what %s changes is not known", image.name, before, version.text)
        return []
    broken = [one for one in differences(kept, contract) if one.is_breaking]
    return [f"{image.name}:{before} had {one.title} {one.before}, and {_now(one)}" for one in broken]


def _now(broken: Difference) -> str:
    return f"now it is {broken.after}" if broken.after else "now it is gone"
