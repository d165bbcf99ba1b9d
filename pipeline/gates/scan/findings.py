"""What a scan of an image found: values, read from Trivy's JSON, and the lines that people read."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pipeline.build.settings import Settings
from pipeline.build.severity import SEVERITIES
from pipeline.checks import CheckResult
from pipeline.errors import ScanError
from pipeline.escape import escaped
from pipeline.gates.scan.exemptions import Exemption


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
        digest: of its manifest.
        distribution: as Trivy recognised it, as in ubuntu 22.04.
        packages: how many were looked up.
        scanner: what looked, with its version.
        database: where its database comes from.
        database_updated: when that was made, as in 2026-01-31T12:00:00Z.
        findings: the gravest first.
        updates: what the check of pending security updates found, for which no database is needed.
    """

    image: str
    digest: str
    distribution: str
    packages: int
    scanner: str
    database: str
    database_updated: str
    findings: tuple[Vulnerability, ...]
    updates: CheckResult

    @property
    def passed(self) -> bool:
        """Whether nothing of it stops a release."""
        return self.updates.passed and not any(finding.stops for finding in self.findings)

    def document(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        return {**asdict(self), "passed": self.passed}


def read_distribution(report: Mapping[str, Any], image: str) -> str:
    """Return the distribution of an image, in which Trivy looked its packages up.

    Args:
        report: Trivy's.
        image: its name.

    Raises:
        ScanError: Trivy recognised none, found no package of it, or it gets no security updates any more; Trivy finds
            nothing then, without a word.
    """
    system = report.get("Metadata", {}).get("OS", {})
    listed = [result for result in report.get("Results", []) if result.get("Class") == "os-pkgs"]
    if not system.get("Family") or system["Family"] == "none" or not any(one.get("Packages") for one in listed):
        raise ScanError(
            f"Trivy recognises no distribution with packages in {image}, so that it looked nothing up; "
            "see that /etc/os-release and /var/lib/dpkg/status are as the base has them."
        )
    name = f"{system['Family']} {system['Name']}"
    if system.get("EOSL"):
        raise ScanError(f"{image} is {name}, which gets no security updates any more; build on a newer base.")
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
        ScanError: a finding is in none of these layers.
    """
    found: dict[tuple[object, ...], Vulnerability] = {}
    for found_in, exemption in _entries(report, exemptions):
        severity, fixed = found_in["Severity"].lower(), found_in.get("FixedVersion", "")
        layer = found_in.get("Layer", {}).get("DiffID", "")
        if layer not in origins:
            raise ScanError(f"Trivy finds {found_in['PkgName']} in the layer {layer!r}, which is none of the image's.")
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


def scan_table(scanned: Iterable[ScanResult]) -> str:
    """Return what stops a release and what is excepted, a line each, and how much else there is."""
    lines: list[str] = []
    for one in scanned:
        lines.append(f"{one.image}  {escaped(one.distribution)}, {one.packages} packages")
        lines += _rows([finding for finding in one.findings if finding.stops or finding.exemption])
        rest = Counter(finding.severity for finding in one.findings if not (finding.stops or finding.exemption))
        said = ", ".join(f"{rest[severity]} {severity}" for severity in reversed(SEVERITIES) if rest[severity])
        if said:
            lines.append(f"  pass  {said}: without a fix, or not grave enough to stop a release")
        elif not one.findings:
            lines.append("  pass  no known vulnerability")
        first, *more = one.updates.message.splitlines() or [""]
        lines.append(f"  {'pass' if one.updates.passed else 'FAIL'}  {one.updates.name}: {escaped(first)}")
        lines += [f"        {escaped(line)}" for line in more]
    return "\n".join(lines) + "\n"


def _rows(findings: Sequence[Vulnerability]) -> Iterator[str]:
    """Write findings, those of one vulnerability in packages of one source together."""
    packages: dict[Vulnerability, list[str]] = {}
    for finding in findings:
        packages.setdefault(replace(finding, package="", purl=""), []).append(finding.package)
    for one, names in packages.items():
        version = f"{one.installed} → {one.fixed}" if one.fixed else f"{one.installed}, no fix"
        why = f": {one.exemption.justification} until {one.exemption.expires}" if one.exemption else ""
        mark = "except" if one.exemption else "FAIL"
        what = f"{one.vulnerability}  {', '.join(names)} {version}, from {one.origin}{why}"
        yield f"  {mark:<6} {one.severity:<8}  {escaped(what)}"
        if one.title:
            yield f"        {escaped(one.title)}"


def parse_report(text: str) -> Mapping[str, Any]:
    """Read Trivy's JSON."""
    report: Mapping[str, Any] = json.loads(text)
    return report
