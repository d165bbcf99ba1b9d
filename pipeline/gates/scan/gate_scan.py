"""The gate of vulnerabilities: Trivy over every image, held against a policy and the exceptions of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import dagger
from dagger import dag

from pipeline.build.assembly import Packed, pack_images
from pipeline.build.chain import chain
from pipeline.build.inputs import Build
from pipeline.catalogue.lookup import by_name
from pipeline.checks.base_checks import SECURITY_UPDATES
from pipeline.concurrency import concurrently
from pipeline.errors import ScanError
from pipeline.gates.scan.database import DB, Database, DatabaseOrder, open_database
from pipeline.gates.scan.exemptions import VEX, Exemption, read_exemptions, require_matched
from pipeline.gates.scan.findings import (
    Policy,
    ScanResult,
    parse_report,
    policy_of,
    read_distribution,
    read_findings,
    read_layers,
    scan_table,
)
from pipeline.gates.trivy import trivy_image, with_trivy

#: What a finding is said to come from that is in the base already.
BASE = "base"
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_VEX = "/mnt/vex"
_ARGUMENTS = ("--scanners", "vuln", "--show-suppressed", "--config", "", "--ignorefile", "")


@dataclass(frozen=True)
class Scanner:
    """What images are scanned with.

    Args:
        container: made from the base, with Trivy and its database.
        database: that one.
        exemptions: the exceptions that hold today.
        policy: what stops a release.
    """

    container: dagger.Container
    database: Database
    exemptions: tuple[Exemption, ...]
    policy: Policy


async def prepare(build: Build, order: DatabaseOrder, now: str, vex: Path = VEX) -> Scanner:
    """Get all that a scan takes, so that what is wrong with it is known before an image is built.

    Args:
        build: the settings and the base.
        order: where Trivy's database comes from.
        now: the present moment, as in 2026-01-31T12:00:00Z.
        vex: the directory of the exceptions.

    Raises:
        SettingsError: two databases were given.
        ToolError: Trivy cannot be had.
        ScanError: an exception does not hold, or the database cannot be trusted.
    """
    settings, moment = build.settings, datetime.fromisoformat(now.replace("Z", "+00:00"))
    exemptions = read_exemptions(vex, moment.date())
    container = await with_trivy(build)
    # A base has no certificates; ska-base brings them.
    certificates = chain("ska-base", build).file(_CERTIFICATES)
    database = await open_database(order, container, certificates, moment, settings.scan_database_days)
    policy = policy_of(settings)
    return Scanner(container.with_mounted_directory(DB, database.directory), database, exemptions, policy)


async def scan(names: Iterable[str], build: Build, order: DatabaseOrder, now: str, vex: Path = VEX) -> list[ScanResult]:
    """Build images and scan them.

    Args:
        names: of the images; all, where there are none.
        build: the settings and the base.
        order: where Trivy's database comes from.
        now: the present moment, as in 2026-01-31T12:00:00Z.
        vex: the directory of the exceptions.

    Raises:
        UnknownImageError, SettingsError, ToolError: this cannot be done as it was asked for.
        ScanError: the scan cannot be trusted, or what it found stops a release; the text holds every result.
        dagger.ExecError: an image cannot be built.
    """
    scanner = await prepare(build, order, now, vex)
    return await gate(await pack_images(names, build, [SECURITY_UPDATES.name]), build, scanner)


async def gate(packed: Sequence[Packed], build: Build, scanner: Scanner) -> list[ScanResult]:
    """Scan images and refuse those that are vulnerable.

    Args:
        packed: the images, with the result of the check of security updates.
        build: the settings and the base.
        scanner: from `prepare`.

    Raises:
        ScanError: the scan cannot be trusted, or what it found stops a release; the text holds every result.
    """
    scanned = await scan_packed(packed, build, scanner)
    require_safe(scanned)
    if len(packed) == len(by_name()):
        require_matched(scanner.exemptions, [found.exemption for one in scanned for found in one.findings])
    return scanned


async def scan_packed(packed: Sequence[Packed], build: Build, scanner: Scanner) -> list[ScanResult]:
    """Scan images, side by side; what is found is a result.

    Args:
        packed: the images, with the result of the check of security updates.
        build: the settings and the base.
        scanner: from `prepare`.

    Raises:
        ScanError: Trivy looked nothing up in an image.
    """
    tarballs = {one.image.name: one.tarball for one in packed}
    # Where parents are not asked for, their layers still say what comes from them.
    for name in {name for image in tarballs for name in _lineage(image)} - tarballs.keys():
        container = build.base.container if name == BASE else chain(name, build)
        tarballs[name] = container.as_tarball()
    jobs = [partial(_scan, name, tarball, scanner) for name, tarball in tarballs.items()]
    reports = dict(zip(tarballs, await concurrently(jobs), strict=True))
    return [_scanned(one, reports, scanner) for one in packed]


def require_safe(scanned: Iterable[ScanResult]) -> None:
    """Refuse images with vulnerabilities that stop a release.

    Raises:
        ScanError: there is one; the text holds all results.
    """
    listed = list(scanned)
    if failed := [one.image for one in listed if not one.passed]:
        raise ScanError(
            f"{', '.join(failed)} {'has' if len(failed) == 1 else 'have'} vulnerabilities that stop a release; update, "
            "or except with an OpenVEX statement, what is marked FAIL, and run again.\n" + scan_table(listed).rstrip()
        )


async def _scan(name: str, tarball: dagger.File, scanner: Scanner) -> Mapping[str, Any]:
    # Each exception is a file of its own, whose path Trivy gives back where it took effect.
    container, options = scanner.container, [*_ARGUMENTS]
    for path, exemption in _files(scanner, name).items():
        container = container.with_mounted_file(path, dag.file(Path(path).name, exemption.document))
        options += ["--vex", path]
    found = trivy_image(container, tarball, f"{name}: scan", ["json"], *options)
    return parse_report(await found.file("json").contents())


def _files(scanner: Scanner, image: str) -> dict[str, Exemption]:
    return {
        f"{_VEX}/{number}.json": one
        for number, one in enumerate(scanner.exemptions)
        if one.image in ("", image) and image != BASE
    }


def _scanned(packed: Packed, reports: Mapping[str, Mapping[str, Any]], scanner: Scanner) -> ScanResult:
    image = packed.image.name
    report = reports[image]
    origins: dict[str, str] = {}
    for name in _lineage(image):
        for layer in read_layers(reports[name]):
            origins.setdefault(layer, name)
    (updates,) = [result for result in packed.checked.results if result.name == SECURITY_UPDATES.name]
    return ScanResult(
        image=image,
        digest=packed.archive.digest,
        distribution=read_distribution(report, image),
        packages=sum(len(result.get("Packages", ())) for result in report["Results"]),
        scanner=f"Trivy {report['Trivy']['Version']}",
        database=scanner.database.origin,
        database_updated=scanner.database.updated,
        findings=read_findings(report, origins, _files(scanner, image), scanner.policy),
        updates=updates,
    )


def _lineage(image: str) -> list[str]:
    """Return the base, the image's parents and the image, in the order in which they are built."""
    parent = by_name()[image].parent
    return [*([BASE] if parent is None else _lineage(parent)), image]


def describe_scan(scanned: Sequence[ScanResult]) -> str:
    """Return the results for people, with what they were looked up in."""
    first = scanned[0]
    return f"{first.scanner}, database of {first.database_updated} from {first.database}\n{scan_table(scanned)}"
