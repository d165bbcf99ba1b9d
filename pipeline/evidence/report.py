"""One report of a build: a page for people, and the same for programs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import dagger
import jinja2
from dagger import dag

from pipeline.build.assembly import Packed, pack_images
from pipeline.build.inputs import Build
from pipeline.concurrency import both, concurrently
from pipeline.escape import escaped_lines, json_text
from pipeline.evidence.package_groups import sizes_of_groups
from pipeline.evidence.report_data import Reported, report_document
from pipeline.gates.audit.gate_audit import audit_finished
from pipeline.gates.sbom import gate_sbom
from pipeline.gates.scan.container_scanning import FILE, container_scanning
from pipeline.gates.scan.database import DatabaseOrder
from pipeline.gates.scan.exemptions import VEX
from pipeline.gates.scan.gate_scan import Scanner, prepare, scan_packed

_TEMPLATE = Path(__file__).parent.parent / "data" / "report.html"


async def report(
    names: Iterable[str], build: Build, order: DatabaseOrder, clock: Callable[[], str], vex: Path = VEX
) -> dagger.Directory:
    """Build images, look at all of them with every gate's tool, and report what was found, whether it is good or not.

    Args:
        names: of the images; all, where there are none.
        build: the settings, the base and the tools.
        order: where Trivy's database comes from.
        clock: gives the present moment, as in 2026-01-31T12:00:00Z.
        vex: the directory of the exceptions.

    Returns:
        report.html, report.json, the SBOMs that they name, and the findings as GitLab reads them.

    Raises:
        UnknownImageError, SettingsError, ToolError: this cannot be done as it was asked for.
        ScanError, AuditError, SbomError: an image cannot be looked at, or the tools cannot be trusted.
        dagger.ExecError: an image cannot be built.
    """
    scanner = await prepare(build, order, clock(), vex)
    return await report_on(await pack_images(names, build), build, scanner, clock)


async def report_on(
    packed: Sequence[Packed], build: Build, scanner: Scanner, clock: Callable[[], str]
) -> dagger.Directory:
    """Look at images with every gate's tool, and report what was found.

    Args:
        packed: the images, with the results of their checks.
        build: the settings, the base and the tools.
        scanner: from `scan.prepare`.
        clock: gives the present moment, as in 2026-01-31T12:00:00Z.

    Raises:
        ToolError, ScanError, AuditError, SbomError: an image cannot be looked at, or the tools cannot be trusted.
    """
    now = clock()
    groups = [partial(sizes_of_groups, one.container, one.image.name) for one in packed]
    (sboms, sizes), (audited, scanned) = await both(
        partial(both, partial(gate_sbom.gate, packed, build), partial(concurrently, groups)),
        partial(both, partial(audit_finished, packed, build), partial(scan_packed, packed, build, scanner)),
    )
    reported = [Reported(*one) for one in zip(packed, scanned, audited, sboms, sizes, strict=True)]
    document = report_document(reported, build, now)
    files = {
        "report.html": page(document),
        "report.json": json_text(document),
        FILE: json_text(container_scanning(scanned, build, now, clock())),
        **{f"sbom/{name}": text for one in sboms for name, text in one.files.items()},
    }
    directory = dag.directory()
    for name, text in files.items():
        directory = directory.with_new_file(name, text)
    return directory


def page(document: Mapping[str, Any]) -> str:
    """Return the page of a report: static, whole in itself, without a script; what is in the data stays text."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_printable
    )
    environment.filters["megabytes"] = _megabytes
    return environment.from_string(_TEMPLATE.read_text()).render(document)


def _printable(value: Any) -> Any:
    return escaped_lines(value) if isinstance(value, str) else value


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size < 10_000_000 else f"{size / 1_000_000:.0f} MB"
