"""What contracts change since a release in a registry, for the report."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import dagger

from pipeline.build.inputs import Build
from pipeline.catalogue.lookup import select
from pipeline.checks.contract import Contract, differences, recorded
from pipeline.concurrency import concurrently
from pipeline.errors import ReleaseError
from pipeline.evidence.report import report
from pipeline.evidence.report_data import UNCOMPARED, ContractChanges
from pipeline.gates.definition import GateInputs
from pipeline.registry.address import parse_address
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.continuity import contract_of, contract_reader
from pipeline.release.login import Login
from pipeline.release.published import Published, find_images
from pipeline.release.tags import parse_version


@dataclass(frozen=True)
class Earlier:
    """The release that contracts are compared with, in the registry of the settings.

    Args:
        version: empty for none.
        login: the login to the registry.
    """

    version: str
    login: Login


async def report_since(names: Iterable[str], inputs: GateInputs, earlier: Earlier) -> dagger.Directory:
    """Report on a build, and on what its contracts change since a release.

    Args:
        names: the names of the images; empty for all.
        inputs: the gates' inputs, which include the settings of the build.
        earlier: the release.

    Raises:
        ReleaseError: the release is not published.
        UnknownImageError: there is no such image.
        RegistryError: the registry refuses, or does not answer.
        CatalogueError: a committed contract is damaged.
        ToolError, HoldError, SettingsError: a gate cannot be held.
    """
    listed = list(names)
    if not earlier.version:
        return await report(listed, inputs)
    build, version = inputs.build, parse_version(earlier.version)
    address = parse_address(build.settings.registry)
    contracts = _promised(listed, build)
    async with earlier.login.access() as access, open_registry(address, access) as registry:
        changes = await contract_changes(registry, version, contracts)
    return await report(listed, inputs, changes)


async def contract_changes(registry: Registry, since: str, contracts: Mapping[str, Contract]) -> ContractChanges:
    """Compare contracts with those of a release.

    Args:
        registry: that has the release.
        since: the version of the release; empty if there is none.
        contracts: the contracts by the names of their images.

    Raises:
        ReleaseError: the release is not published.
        RegistryError: the registry refuses, or a contract of the release is damaged.
    """
    if not since:
        return UNCOMPARED
    images = await find_images(registry, since, contracts)
    if contracts and not images:
        raise ReleaseError(f"{registry.address} has no image of {since}; check --registry, --line and --since.")
    kept = await contracts_of(images)
    return ContractChanges(since, {name: differences(one, contracts[name]) for name, one in kept.items()})


async def contracts_of(images: Mapping[str, Published]) -> dict[str, Contract]:
    """Return the contracts of published images by their names; images without one are left out.

    Raises:
        RegistryError: the registry refuses, or a contract is damaged.
    """
    reader = contract_reader()
    found = await concurrently([partial(contract_of, image, reader) for image in images.values()])
    return {name: one for name, one in zip(images, found, strict=True) if one is not None}


def _promised(names: list[str], build: Build) -> dict[str, Contract]:
    """Return the committed contracts of images, which the check `contract` compares with what was built."""
    images = select(names, build.bases)
    found = {image.name: recorded(image.name, build.base_of(image).distribution) for image in images}
    return {name: one for name, one in found.items() if one is not None}
