"""The report of a release: its images taken out of the registry, and looked at as those of a build are."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import dagger

from pipeline.build.assembly import Packed, pack_containers
from pipeline.build.inputs import Build
from pipeline.catalogue.lookup import by_name
from pipeline.errors import ReleaseError
from pipeline.evidence.report import report_on
from pipeline.gates.scan.database import DatabaseOrder
from pipeline.gates.scan.gate_scan import prepare
from pipeline.registry.address import parse_address
from pipeline.registry.registry import open_registry
from pipeline.release.login import Login
from pipeline.release.published import Published, find_images
from pipeline.release.tags import parse_version


@dataclass(frozen=True)
class Release:
    """A release in the registry of the settings.

    Args:
        tag: its version, a leading v allowed.
        login: to the registry.
    """

    tag: str
    login: Login


async def report_release(
    release: Release, build: Build, order: DatabaseOrder, clock: Callable[[], str]
) -> dagger.Directory:
    """Look at the images of a release with every gate's tool, and report what was found.

    Args:
        release: which.
        build: settings with the registry, a base for the tools' containers, and the tools.
        order: where Trivy's database comes from.
        clock: gives the present moment, as in 2026-01-31T12:00:00Z.

    Raises:
        ReleaseError: it is not published, or not all of it.
        RegistryError: the registry refuses, or does not answer.
        ScanError, AuditError, SbomError, ToolError: an image cannot be looked at, or the tools cannot be trusted.
    """
    version = parse_version(release.tag)
    scanner = await prepare(build, order, clock())
    images = await _published(release, version, build)
    created = next(iter(images.values())).label("created")
    settings = build.settings.model_copy(update={"version": version, "created": created})
    containers = {name: release.login.container(one.reference()) for name, one in images.items()}
    packed = await pack_containers(containers, build)
    published = [_as_published(one, images[one.image.name]) for one in packed]
    return await report_on(published, replace(build, settings=settings), scanner, clock)


async def _published(release: Release, version: str, build: Build) -> dict[str, Published]:
    address = parse_address(build.settings.registry)
    async with release.login.access() as access, open_registry(address, access) as registry:
        images = await find_images(registry, version)
    if missing := [name for name in by_name() if name not in images]:
        raise ReleaseError(f"{address}/{missing[0]}:{version} is not published; check --registry and --tag.")
    return images


def _as_published(packed: Packed, image: Published) -> Packed:
    # The archive was packed anew; what people pull has the registry's digest.
    return replace(packed, archive=replace(packed.archive, digest=image.manifest.digest))
