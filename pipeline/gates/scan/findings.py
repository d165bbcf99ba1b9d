"""The findings of an image's scan, read from Trivy's JSON."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.build.settings import Settings
from pipeline.build.severity import SEVERITIES
from pipeline.checks import CheckResult
from pipeline.errors import HoldError
from pipeline.gates.definition import Problem
from pipeline.gates.scan.exemptions import Exemption
from pipeline.gates.tools import UsedTool


@dataclass(frozen=True)
class Policy:
    """The vulnerabilities that block a release.

    Args:
        any: the lowest severity that blocks it, as in critical.
        fixable: the lowest severity that blocks it if a fix exists.
    """

    any: str
    fixable: str

    def stops(self, severity: str, fixed: str) -> bool:
        """Return whether a vulnerability blocks a release.

        Args:
            severity: the vulnerability's severity.
            fixed: the version with the fix; empty if there is none.
        """
        ranked = SEVERITIES.index
        return ranked(severity) >= ranked(self.any) or bool(fixed and ranked(severity) >= ranked(self.fixable))


def policy_of(settings: Settings) -> Policy:
    """Return the policy of the settings."""
    return Policy(settings.scan_fails_on, settings.scan_fails_on_fixable)


@dataclass(frozen=True)
class Vulnerability:
    """A vulnerability in a package.

    Args:
        vulnerability: the vulnerability's identifier, as in CVE-2026-1234.
        severity: one of SEVERITIES.
        package: the package's name.
        purl: the package URL, with the version.
        installed: the installed version.
        fixed: the version with the fix; empty if there is none.
        origin: the image that brought the package: the base, a parent, or the image itself.
        title: the title of the vulnerability.
        url: the URL of its description.
        stops: whether it blocks a release.
        exemption: the exception for it; None if there is none.
    """

    vulnerability: str
    severity: str
    package: str
    purl: str
    installed: str
    fixed: str
    origin: str
    title: str
    url: str
    stops: bool
    exemption: Exemption | None = None


@dataclass(frozen=True)
class ScanResult:
    """The result of an image's scan.

    Args:
        image: the image's name.
        distribution: the distribution that Trivy recognised, as in ubuntu 22.04; empty if the scan failed.
        packages: the number of packages that Trivy looked up.
        tool: the Trivy that was used.
        database: the source of its database.
        database_updated: the time when the database was made, as in 2026-01-31T12:00:00Z.
        findings: the findings, the most severe first.
        updates: the result of the check for pending security updates, which needs no database.
        problems: the other reasons not to release.
    """

    image: str
    distribution: str
    packages: int
    tool: UsedTool
    database: str
    database_updated: str
    findings: tuple[Vulnerability, ...]
    updates: CheckResult
    problems: tuple[Problem, ...] = ()

    @property
    def scanner(self) -> str:
        """The scanner's name and version."""
        return f"Trivy {self.tool.version}"


def read_distribution(report: Mapping[str, Any], image: str) -> str:
    """Return the distribution of an image as Trivy recognised it.

    Args:
        report: Trivy's report.
        image: the image's name.

    Raises:
        HoldError: Trivy recognised none, found no package of it, or it no longer gets security updates; Trivy then
            finds nothing and does not say so.
    """
    system = report.get("Metadata", {}).get("OS", {})
    listed = [result for result in report.get("Results", []) if result.get("Class") == "os-pkgs"]
    if not system.get("Family") or system["Family"] == "none" or not any(one.get("Packages") for one in listed):
        raise HoldError(
            f"Trivy recognises no distribution with packages in {image}, so that it looked nothing up; "
            "see that /etc/os-release and /var/lib/dpkg/status are as the base has them."
        )
    name = f"{system['Family']} {system['Name']}"
    if system.get("EOSL"):
        raise HoldError(f"{image} is {name}, which gets no security updates any more; build on a newer base.")
    return name


def read_layers(report: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the DiffIDs of an image's layers, the lowest first."""
    return tuple(report["Metadata"]["DiffIDs"])


def read_findings(
    report: Mapping[str, Any], origins: Mapping[str, str], exemptions: Mapping[str, Exemption], policy: Policy
) -> tuple[Vulnerability, ...]:
    """Read the findings of Trivy's report, the most severe first.

    Args:
        report: Trivy's report, with the findings that exceptions suppress.
        origins: the image that brought a layer, by the layer's DiffID.
        exemptions: the exceptions that Trivy got, by file name.
        policy: what blocks a release.

    Raises:
        HoldError: a finding is in another layer.
    """
    found: dict[tuple[object, ...], Vulnerability] = {}
    for found_in, exemption in _entries(report, exemptions):
        severity, fixed = found_in["Severity"].lower(), found_in.get("FixedVersion", "")
        layer = found_in.get("Layer", {}).get("DiffID", "")
        if layer not in origins:
            raise HoldError(f"Trivy finds {found_in['PkgName']} in the layer {layer!r}, which is none of the image's.")
        one = Vulnerability(
            vulnerability=found_in["VulnerabilityID"],
            severity=severity,
            package=found_in["PkgName"],
            purl=found_in.get("PkgIdentifier", {}).get("PURL", ""),
            installed=found_in["InstalledVersion"],
            fixed=fixed,
            origin=origins[layer],
            title=found_in.get("Title", ""),
            url=found_in.get("PrimaryURL", ""),
            stops=exemption is None and policy.stops(severity, fixed),
            exemption=exemption,
        )
        # Trivy can find a Python package twice: by its METADATA and by an SBOM installed with it.
        found.setdefault((one.vulnerability, one.purl, one.exemption), one)
    return tuple(sorted(found.values(), key=_gravity))


def _entries(
    report: Mapping[str, Any], exemptions: Mapping[str, Exemption]
) -> Iterator[tuple[Mapping[str, Any], Exemption | None]]:
    for result in report.get("Results", []):
        for found in result.get("Vulnerabilities", []):
            yield found, None
        for modified in result.get("ExperimentalModifiedFindings", []):
            yield modified["Finding"], exemptions[modified["Source"]]


def _gravity(finding: Vulnerability) -> tuple[bool, int, str, str]:
    rank = SEVERITIES.index(finding.severity)
    return not finding.stops, -rank, finding.vulnerability, finding.package


def parse_report(text: str) -> Mapping[str, Any]:
    """Read Trivy's JSON."""
    report: Mapping[str, Any] = json.loads(text)
    return report
