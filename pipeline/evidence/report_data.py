"""The report of a build as data: all that was measured and found, of every image."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.build.assembly import Packed
from pipeline.build.inputs import Build
from pipeline.build.severity import SEVERITIES
from pipeline.evidence.package_groups import OTHER
from pipeline.gates.audit.audited import Audited
from pipeline.gates.audit.tailoring import DROPPED
from pipeline.gates.sbom.gate_sbom import Sbom
from pipeline.gates.scan.findings import ScanResult, Vulnerability


@dataclass(frozen=True)
class Reported:
    """An image with all that was found in it; the sizes are bytes by group of packages."""

    packed: Packed
    scanned: ScanResult
    audited: Audited
    sbom: Sbom
    groups: Mapping[str, int]


def report_document(reported: Sequence[Reported], build: Build, now: str) -> dict[str, Any]:
    """Return what the page shows, for JSON.

    Args:
        reported: the images, parents before children.
        build: their settings and base.
        now: when the images were looked at, as in 2026-01-31T12:00:00Z.
    """
    images = [_image(one, build) for one in reported]
    first = reported[0].scanned
    return {
        "version": build.settings.version,
        "created": build.settings.created,
        "looked_at": now,
        "source": build.settings.source,
        "revision": build.settings.revision,
        "base": build.base.reference,
        "passed": all(image["passed"] for image in images),
        "scanner": {"name": first.scanner, "database": first.database, "database_updated": first.database_updated},
        "images": images,
        "rules_left_out": [asdict(one) for one in DROPPED],
    }


def _image(one: Reported, build: Build) -> dict[str, Any]:
    image, archive, scanned = one.packed.image, one.packed.archive, one.scanned
    checks = [asdict(result) for result in one.packed.checked.results]
    counts = Counter(finding.severity for finding in scanned.findings)
    passed, failed, not_applicable = one.audited.counts
    return {
        "name": image.name,
        "title": image.title,
        "description": image.description,
        "parent": image.parent,
        "reference": build.reference(image.name),
        "pull": f"{build.reference(image.name)}@{archive.digest}",
        "digest": archive.digest,
        "size": archive.size,
        "unpacked_size": archive.unpacked_size,
        "groups": {**one.groups, OTHER: max(0, archive.unpacked_size - sum(one.groups.values()))},
        "layers": [
            {"digest": digest, "size": size} for digest, size in zip(archive.layers, archive.layer_sizes, strict=True)
        ],
        "passed": scanned.passed and not one.audited.problems and all(check["passed"] for check in checks),
        "packages": Counter(package.kind for package in one.sbom.packages),
        "sboms": [f"sbom/{name}" for name in one.sbom.files],
        "checks": checks,
        "distribution": scanned.distribution,
        "severities": {severity: counts[severity] for severity in reversed(SEVERITIES)},
        "findings": [_finding(finding) for finding in scanned.findings],
        "audit": {
            "rules": one.audited.content,
            "passed": passed,
            "failed": failed,
            "not_applicable": not_applicable,
            "problems": list(one.audited.problems),
            "outcomes": dict(one.audited.outcomes),
        },
    }


def _finding(finding: Vulnerability) -> dict[str, Any]:
    one = finding.exemption
    excepted = one and {name: getattr(one, name) for name in ("justification", "expires", "notes", "file")}
    return {**asdict(finding), "exemption": excepted}
