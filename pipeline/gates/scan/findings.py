"""What a scan of an image found: values, read from Trivy's JSON."""

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
    """What stops a release.

    Args:
        any: the least severity of a vulnerability that does, as in critical.
        fixable: the same of one that has a fix.
    """

    any: str
    fixable: str

    def stops(self, severity: str, fixed: str) -> bool:
        """Tell whether a vulnerability stops a release.

        Args:
            severity: its severity.
            fixed: the version that has the fix; empty where there is none.
        """
        ranked = SEVERITIES.index
        return ranked(severity) >= ranked(self.any) or bool(fixed and ranked(severity) >= ranked(self.fixable))


def policy_of(settings: Settings) -> Policy:
    """Return what stops a release by the settings."""
    return Policy(settings.scan_fails_on, settings.scan_fails_on_fixable)


@dataclass(frozen=True)
class Vulnerability:
    """A vulnerability in a package.

    Args:
        vulnerability: its identifier, as in CVE-2026-1234.
        severity: one of SEVERITIES.
        package: the package's name.
        purl: its package URL, with the version.
        installed: its version.
        fixed: the version that has the fix; empty where there is none.
        origin: the image that it comes from first: base, a parent, or the image itself.
        title: what it is.
        url: where it is described.
        stops: whether it stops a release.
        exemption: by which it does not; None where there is none.
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
    """What was found in an image.

    Args:
        image: its name.
        distribution: as Trivy recognised it, as in ubuntu 22.04; empty where nothing could be looked up.
        packages: how many were looked up.
        tool: the Trivy that looked.
        database: where its database comes from.
        database_updated: when that was made, as in 2026-01-31T12:00:00Z.
        findings: the gravest first.
        updates: what the check of pending security updates found, for which no database is needed.
        problems: what stops a release beside vulnerabilities and updates.
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
        """What looked, with its version."""
        return f"Trivy {self.tool.version}"


def read_distribution(report: Mapping[str, Any], image: str) -> str:
    """Return the distribution of an image, in which Trivy looked its packages up.

    Args:
        report: Trivy's.
        image: its name.

    Raises:
        HoldError: Trivy recognised none, found no package of it, or it gets no security updates any more; Trivy finds
            nothing then, without a word.
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
    """Read Trivy's report, the gravest finding first.

    Args:
        report: Trivy's, with what exceptions suppress.
        origins: the image in which a layer is first, by the layer's DiffID.
        exemptions: those that Trivy was given, by the names of their files.
        policy: what stops a release.

    Raises:
        HoldError: a finding is in none of these layers.
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
        # A package of Python can be found twice, by its METADATA and by an SBOM that is installed beside it.
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
