"""The gate of vulnerabilities: Trivy scans each image; a policy and its exceptions decide."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import dagger
from dagger import dag

from pipeline.build.assembly import BuiltImage
from pipeline.build.chain import chain
from pipeline.catalogue.lines import Line
from pipeline.catalogue.lookup import find
from pipeline.checks import CheckResult
from pipeline.checks.base_checks import SECURITY_UPDATES
from pipeline.concurrency import Shared, both, concurrently
from pipeline.errors import HoldError
from pipeline.escape import json_text
from pipeline.gates.definition import Gate, GateInputs, GateResult, Look, Problem
from pipeline.gates.scan.container_scanning import FILE, container_scanning
from pipeline.gates.scan.database import DB, Database, open_database
from pipeline.gates.scan.exemptions import Exemption, read_exemptions
from pipeline.gates.scan.findings import (
    Policy,
    ScanResult,
    Vulnerability,
    parse_report,
    policy_of,
    read_distribution,
    read_findings,
    read_layers,
)
from pipeline.gates.scan.openvex import OPENVEX_FILE, openvex, with_exceptions
from pipeline.gates.scan.scanned import NAME, VULNERABILITIES, result_of
from pipeline.gates.trivy import Trivy, open_trivy, trivy_image

#: The origin of a finding that the base brings.
BASE = "base"
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_VEX = "/mnt/vex"
_ARGUMENTS = ("--scanners", "vuln", "--show-suppressed", "--config", "", "--ignorefile", "")
_UNCHECKED = CheckResult(
    SECURITY_UPDATES.name, False, "the image does not have this check; add it to the image's checks in the catalogue"
)

#: Trivy's reports on the images and the base, by name.
_Reports = Mapping[str, Shared[Mapping[str, Any]]]


@dataclass(frozen=True)
class Scanner:
    """A scanner of images.

    Args:
        trivy: Trivy with its database.
        database: the database.
        exemptions: the exceptions that hold today.
        policy: what blocks a release.
    """

    trivy: Trivy
    database: Database
    exemptions: tuple[Exemption, ...]
    policy: Policy


async def prepare(inputs: GateInputs) -> Look:
    """Prepare the scanner, and return the function that scans images.

    Raises:
        SettingsError: two databases were given.
        ToolError: Trivy cannot be fetched.
        HoldError: an exception does not hold, or the database cannot be trusted.
    """
    scanner = await open_scanner(inputs)

    async def look(images: Sequence[BuiltImage]) -> list[GateResult]:
        started = inputs.clock()
        scanned = await scan(images, scanner)
        finished = inputs.clock()
        build = images[0].build
        gitlab = json_text(container_scanning(scanned, build, started, finished))
        files = {FILE: gitlab, OPENVEX_FILE: json_text(openvex(scanned, build))}
        return [with_exceptions(result_of(one, started, finished, files), one, build) for one in scanned]

    return look


async def open_scanner(inputs: GateInputs) -> Scanner:
    """Return the scanner.

    Raises:
        SettingsError, ToolError, HoldError: see `prepare`.
    """
    build = inputs.build
    settings, moment = build.settings, datetime.fromisoformat(inputs.clock().replace("Z", "+00:00"))
    exemptions = read_exemptions(inputs.vex, moment.date())
    trivy = await open_trivy(build)
    # A base has no certificates; the first image has.
    certificates = chain(next(iter(build.images)), build).file(_CERTIFICATES)
    database = await open_database(inputs.database, trivy.container, certificates, moment, settings.scan_database_days)
    container = trivy.container.with_mounted_directory(DB, database.directory)
    return Scanner(replace(trivy, container=container), database, exemptions, policy_of(settings))


async def scan(images: Sequence[BuiltImage], scanner: Scanner) -> list[ScanResult]:
    """Scan images concurrently.

    When all images are scanned, an exception without a match is a problem of its images, since it would hide a later
    finding.
    """
    reports = {one.name: _report(one.name, one.tarball, scanner) for one in images}
    # The layers of parents tell their findings apart, even if only the image itself was requested.
    build = images[0].build
    bases = {_base(image.line): base.container for image in build.images.values() for base in [build.base_of(image)]}
    for name in {name for image in images for name in _lineage(image.name)} - reports.keys():
        container = bases[name] if name in bases else chain(name, build)
        reports[name] = _report(name, partial(_tarball, container), scanner)
    scanned = await concurrently([partial(_look_at, one, reports, scanner) for one in images])
    if len(images) < len(build.images) or any(one.problems for one in scanned):
        return scanned
    matched = {finding.exemption for one in scanned for finding in one.findings}
    unmatched = [one for one in scanner.exemptions if one not in matched]
    lines = ", ".join(build.bases)
    return [replace(one, problems=(*one.problems, *_unmatched(one.image, unmatched, lines))) for one in scanned]


async def vulnerabilities_of(name: str, container: dagger.Container, scanner: Scanner) -> list[Vulnerability]:
    """Scan an image that exists already, and return its findings, the most severe first.

    Args:
        name: of the image in the catalogue.
        container: the image.
        scanner: scans it.

    Raises:
        HoldError: Trivy cannot read the image.
    """
    report = await _report(name, partial(_tarball, container), scanner).get()
    origins = dict.fromkeys(read_layers(report), name)
    return list(read_findings(report, origins, _files(scanner, name), scanner.policy))


def _unmatched(image: str, exemptions: Iterable[Exemption], lines: str) -> list[Problem]:
    return [
        Problem(
            one.vulnerability,
            f"{one} matches no finding in any image of {lines}; remove the statement, or let it name the image of "
            "another line",
        )
        for one in exemptions
        if one.image in ("", image)
    ]


async def _tarball(container: dagger.Container) -> dagger.File:
    return (await container.sync()).as_tarball()


def _report(name: str, tarball: Callable[[], Awaitable[dagger.File]], scanner: Scanner) -> Shared[Mapping[str, Any]]:
    # Each exception is a file, because Trivy names the file of the exception that took effect.
    container, options = scanner.trivy.container, [*_ARGUMENTS]
    for path, exemption in _files(scanner, name).items():
        container = container.with_mounted_file(path, dag.file(Path(path).name, exemption.document))
        options += ["--vex", path]

    async def run() -> Mapping[str, Any]:
        (text,) = await trivy_image(container, await tarball(), f"{name}: scan", ["json"], *options)
        return parse_report(text)

    return Shared(run)


def _files(scanner: Scanner, image: str) -> dict[str, Exemption]:
    return {
        f"{_VEX}/{number}.json": one
        for number, one in enumerate(scanner.exemptions)
        if one.image in ("", image) and not _is_base(image)
    }


async def _look_at(image: BuiltImage, reports: _Reports, scanner: Scanner) -> ScanResult:
    unknown = ScanResult(
        image=image.name,
        distribution="",
        packages=0,
        tool=scanner.trivy.tool,
        database=scanner.database.origin,
        database_updated=scanner.database.updated,
        findings=(),
        updates=_UNCHECKED,
    )
    found, updates = await both(partial(_found, unknown, reports, scanner), partial(_updates, image))
    return replace(found, updates=updates)


async def _found(unknown: ScanResult, reports: _Reports, scanner: Scanner) -> ScanResult:
    try:
        return await _read(unknown, reports, scanner)
    except HoldError as error:
        return replace(unknown, problems=(Problem("Trivy", str(error)),))
    except (ValueError, KeyError, TypeError) as error:
        return replace(unknown, problems=(Problem("Trivy", f"Its report cannot be read ({error!r})."),))


async def _read(unknown: ScanResult, reports: _Reports, scanner: Scanner) -> ScanResult:
    image, lineage = unknown.image, _lineage(unknown.image)
    listed = await concurrently([reports[name].get for name in lineage])
    origins: dict[str, str] = {}
    for name, of_parent in zip(lineage, listed, strict=True):
        for layer in read_layers(of_parent):
            origins.setdefault(layer, BASE if _is_base(name) else name)
    report = listed[-1]
    return replace(
        unknown,
        distribution=read_distribution(report, image),
        packages=sum(len(result.get("Packages", ())) for result in report["Results"]),
        findings=read_findings(report, origins, _files(scanner, image), scanner.policy),
    )


async def _updates(image: BuiltImage) -> CheckResult:
    check = image.checks.get(SECURITY_UPDATES.name)
    return await check.get() if check else _UNCHECKED


def _lineage(image: str) -> list[str]:
    """Return the base, the image's parents and the image, in build order."""
    entry = find(image)
    return [*([_base(entry.line)] if entry.parent is None else _lineage(entry.parent)), image]


def _base(line: Line) -> str:
    return f"{BASE} of {line.name}"


def _is_base(name: str) -> bool:
    return name.startswith(f"{BASE} of ")


SCAN = Gate(NAME, prepare, needs_tools=True, attests=(VULNERABILITIES,))
