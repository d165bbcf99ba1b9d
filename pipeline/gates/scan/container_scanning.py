"""The findings of a scan in the form of GitLab's vulnerability report.

Source: https://gitlab.com/gitlab-org/security-products/security-report-schemas, container scanning
"""

import uuid
from collections.abc import Sequence
from typing import Any

from pipeline.build.inputs import Build
from pipeline.gates.scan.findings import ScanResult, Vulnerability

#: GitLab accepts this version of the schema and later ones of its series.
VERSION = "15.0.6"
#: The customary name of the artifact.
FILE = "gl-container-scanning-report.json"
_LONGEST_NAME = 255


def container_scanning(scanned: Sequence[ScanResult], build: Build, started: str, finished: str) -> dict[str, Any]:
    """Return the report of all images, for `artifacts:reports:container_scanning`.

    Args:
        scanned: the scanned images.
        build: the settings of the build.
        started: the start of the scan, as in 2026-01-31T12:00:00Z.
        finished: the end of the scan.
    """
    settings = build.settings
    return {
        "version": VERSION,
        "scan": {
            "type": "container_scanning",
            "status": "success",
            "start_time": started.removesuffix("Z"),
            "end_time": finished.removesuffix("Z"),
            "scanner": _tool("Trivy", scanned[0].tool.version, "Aqua Security"),
            "analyzer": _tool("ska-base-images", settings.version, settings.vendor),
        },
        "vulnerabilities": [_vulnerability(finding, one, build) for one in scanned for finding in one.findings],
    }


def _tool(name: str, version: str, vendor: str) -> dict[str, Any]:
    return {"id": name.lower(), "name": name, "version": version, "vendor": {"name": vendor}}


def _vulnerability(finding: Vulnerability, scanned: ScanResult, build: Build) -> dict[str, Any]:
    identifier = finding.vulnerability
    image = build.reference(scanned.image)
    kind = identifier.partition("-")[0].lower()
    url = {"url": finding.url} if finding.url.startswith(("https://", "http://")) else {}
    return {
        # The id of a finding stays the same from one scan to the next.
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{image} {identifier} {finding.purl}")),
        "name": f"{identifier}: {finding.title}"[:_LONGEST_NAME],
        "description": f"{finding.package} {finding.installed}, which comes from {finding.origin}.",
        "severity": finding.severity.capitalize(),
        "solution": f"Update {finding.package} to {finding.fixed}." if finding.fixed else "There is no fix yet.",
        "identifiers": [{"type": kind, "name": identifier, "value": identifier, **url}],
        "links": [url] if url else [],
        "location": {
            "dependency": {"package": {"name": finding.package}, "version": finding.installed},
            "operating_system": scanned.distribution,
            "image": image,
        },
        "flags": _flags(finding),
    }


def _flags(finding: Vulnerability) -> list[dict[str, str]]:
    if finding.exemption is None:
        return []
    reason = f"{finding.exemption.justification}, until {finding.exemption.expires}: {finding.exemption.notes}"
    return [{"type": "flagged-as-likely-false-positive", "origin": "OpenVEX", "description": reason}]
