"""The report of a release: its images are pulled from the registry and examined like those of a build."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import dagger

from pipeline.build.assembly import Archive, BuiltImage, open_containers
from pipeline.build.base import distribution_of
from pipeline.build.inputs import Base, Build
from pipeline.catalogue.lines import find_line
from pipeline.catalogue.lookup import find
from pipeline.concurrency import Shared
from pipeline.errors import ReleaseError
from pipeline.evidence.report import report_on
from pipeline.gates import GATES
from pipeline.gates.definition import GateInputs
from pipeline.gates.hold import prepare_all
from pipeline.registry.address import parse_address
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.contract_changes import contract_changes, contracts_of
from pipeline.release.login import Login
from pipeline.release.published import Published, find_images, newest_version
from pipeline.release.tags import parse_version


@dataclass(frozen=True)
class Release:
    """A release in the registry of the settings.

    Args:
        tag: the release's version, a leading v allowed.
        login: the login to the registry.
    """

    tag: str
    login: Login


async def report_release(release: Release, inputs: GateInputs) -> dagger.Directory:
    """Examine the images of a release with every gate, and report the results and what changed since the one before.

    Args:
        release: the release.
        inputs: the inputs of the gates: settings with the registry, a base for the tools' containers, and the tools.

    Raises:
        ReleaseError: the release is not published, or not completely.
        RegistryError: the registry refuses, or does not answer.
        ToolError, HoldError, SettingsError: a gate cannot be held.
    """
    version, now = parse_version(release.tag), inputs.clock()
    looks = await prepare_all(GATES, inputs)
    address = parse_address(inputs.build.settings.registry)
    async with release.login.access() as access, open_registry(address, access) as registry:
        images = await _published(registry, version, inputs.build)
        before = await newest_version(registry, inputs.build.images, version)
        changes = await contract_changes(registry, before, await contracts_of(images))
    created = next(iter(images.values())).label("created")
    settings = inputs.build.settings.model_copy(update={"version": version, "created": created})
    bases = {find(name).line.name: base_label for name, one in images.items() if (base_label := _base_of(one))}
    build = replace(inputs.build, settings=settings, bases=_as_labelled(inputs.build, bases))
    containers = {name: release.login.container(one.reference()) for name, one in images.items()}
    opened = [_as_published(one, images[one.name]) for one in open_containers(containers, build)]
    return await report_on(opened, looks, build, now, changes)


async def _published(registry: Registry, version: str, build: Build) -> dict[str, Published]:
    images = await find_images(registry, version, build.images)
    if missing := [name for name in build.images if name not in images]:
        raise ReleaseError(
            f"{registry.address}/{missing[0]}:{version} is not published; check --registry, --tag and --line."
        )
    return images


def _base_of(image: Published) -> str:
    """Return the base of a first image; empty for another image."""
    return image.label("baseImage") if find(image.repository.name).parent is None else ""


def _as_labelled(build: Build, references: Mapping[str, str]) -> dict[str, Base]:
    """Return the bases with what the release's labels say, whatever this run would build on."""
    return {
        name: replace(base, reference=references[name], distribution=distribution_of(find_line(name), references[name]))
        for name, base in build.bases.items()
    }


def _as_published(image: BuiltImage, published: Published) -> BuiltImage:
    async def archive() -> Archive:
        # The archive was packed again; people pull the digest in the registry.
        return replace(await image.archive.get(), digest=published.manifest.digest)

    return replace(image, archive=Shared(archive))
