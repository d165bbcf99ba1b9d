"""The findings of an image's scan, as a result of the gate."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from pipeline.build.severity import SEVERITIES
from pipeline.escape import escaped
from pipeline.gates.definition import GateResult, Problem, Row
from pipeline.gates.descriptors import tool_descriptor
from pipeline.gates.scan.findings import ScanResult, Vulnerability
from pipeline.statement import Predicate

NAME = "scan"
VULNERABILITIES = "https://in-toto.io/attestation/vulns/v0.2"


def result_of(scanned: ScanResult, started: str, finished: str, files: Mapping[str, str]) -> GateResult:
    """Return the result of a scan.

    Args:
        scanned: the scanned image.
        started: the start of the scan, ISO 8601, UTC.
        finished: the end of the scan.
        files: the files of the whole scan, for the report's directory.
    """
    return GateResult(
        NAME,
        scanned.image,
        problems=tuple(_problems(scanned)),
        rows=tuple(_rows(scanned)),
        part=_part(scanned),
        common={
            "scanner": {
                "name": scanned.scanner,
                "database": scanned.database,
                "database_updated": scanned.database_updated,
            }
        },
        files=files,
        # "No vulnerability" would be false if nothing was looked up.
        predicates=(_predicate(scanned, started, finished),) if scanned.distribution else (),
        tools=(scanned.tool,),
    )


def _problems(scanned: ScanResult) -> Iterator[Problem]:
    yield from scanned.problems
    for one, packages in _grouped(finding for finding in scanned.findings if finding.stops):
        advice = "update it, or except it with an OpenVEX statement" if one.fixed else "except it with OpenVEX"
        yield Problem(one.vulnerability, f"{_described(one, packages)}: {advice}{_title(one)}")
    if not scanned.updates.passed:
        yield Problem(scanned.updates.name, scanned.updates.message)


def _rows(scanned: ScanResult) -> Iterator[Row]:
    yield Row("pass", scanned.scanner, f"database of {scanned.database_updated} from {scanned.database}")
    for one, packages in _grouped(finding for finding in scanned.findings if finding.exemption):
        if one.exemption:
            reason = f"{one.exemption.justification} until {one.exemption.expires}"
            yield Row("except", one.vulnerability, f"{_described(one, packages)}: {reason}{_title(one)}")
    if scanned.distribution:
        yield Row("pass", scanned.distribution, f"{scanned.packages} packages{_harmless(scanned)}")
    if scanned.updates.passed:
        yield Row("pass", scanned.updates.name, scanned.updates.message)


def _grouped(findings: Iterable[Vulnerability]) -> Iterable[tuple[Vulnerability, Sequence[str]]]:
    """Group the findings of one vulnerability in packages of one source."""
    packages: dict[Vulnerability, list[str]] = {}
    for finding in findings:
        packages.setdefault(replace(finding, package="", purl=""), []).append(finding.package)
    return packages.items()


def _described(one: Vulnerability, packages: Iterable[str]) -> str:
    version = f"{one.installed} → {one.fixed}" if one.fixed else f"{one.installed}, no fix"
    return escaped(f"{one.severity} in {', '.join(packages)} {version}, from {one.origin}")


def _title(one: Vulnerability) -> str:
    return f"\n{escaped(one.title)}" if one.title else ""


def _harmless(scanned: ScanResult) -> str:
    """Count the findings that neither block a release nor have an exception."""
    number = Counter(finding.severity for finding in scanned.findings if not (finding.stops or finding.exemption))
    counts = [f"{number[severity]} {severity}" for severity in reversed(SEVERITIES) if number[severity]]
    if counts:
        return f"; {', '.join(counts)}: without a fix, or not grave enough to stop a release"
    return "" if scanned.findings else "; no known vulnerability"


def _part(scanned: ScanResult) -> dict[str, Any]:
    counts = Counter(finding.severity for finding in scanned.findings)
    return {
        "distribution": scanned.distribution,
        "severities": {severity: counts[severity] for severity in reversed(SEVERITIES)},
        "findings": [_reported(finding) for finding in scanned.findings],
    }


def _reported(finding: Vulnerability) -> dict[str, Any]:
    one = finding.exemption
    excepted = one and {name: getattr(one, name) for name in ("justification", "expires", "notes", "file")}
    return {**asdict(finding), "exemption": excepted}


def _predicate(scanned: ScanResult, started: str, finished: str) -> Predicate:
    """State the known vulnerabilities, including those with an exception."""
    database = {"uri": scanned.database, "lastUpdate": scanned.database_updated}
    scanner = {**tool_descriptor(scanned.tool), "version": scanned.tool.version, "db": database}
    content = {
        "scanner": {**scanner, "result": [_attested(finding) for finding in scanned.findings]},
        "metadata": {"scanStartedOn": started, "scanFinishedOn": finished},
    }
    return Predicate(VULNERABILITIES, content)


def _attested(finding: Vulnerability) -> dict[str, Any]:
    noted = {"package": finding.purl, "fixedVersion": finding.fixed, "origin": finding.origin}
    if finding.exemption:
        noted |= {"justification": finding.exemption.justification, "expires": finding.exemption.expires}
    return {
        "id": finding.vulnerability,
        "severity": [{"method": "trivy", "score": finding.severity}],
        "annotations": [{key: value} for key, value in noted.items() if value],
    }
