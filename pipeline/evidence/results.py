"""Statements on what is in an image and on what gates found, each with the predicate that in-toto or cosign has for it.

Source: https://github.com/in-toto/attestation/tree/main/spec/predicates
"""

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from pipeline.build.assembly import Packed
from pipeline.build.build_report import CheckedImage
from pipeline.build.inputs import Build
from pipeline.concurrency import both
from pipeline.evidence.provenance import PREDICATE, SCANNERS, describe_run, provenance_of, tool_descriptor
from pipeline.evidence.statement import Statement, repository, source_of
from pipeline.gates.audit import gate_audit
from pipeline.gates.audit.audited import Audited
from pipeline.gates.audit.baseline import HARMLESS, PASS
from pipeline.gates.audit.tailoring import DROPPED
from pipeline.gates.sbom import gate_sbom as sbom
from pipeline.gates.sbom.gate_sbom import Sbom
from pipeline.gates.scan import gate_scan
from pipeline.gates.scan.findings import ScanResult, Vulnerability
from pipeline.gates.scan.gate_scan import Scanner
from pipeline.gates.tools import TOOLS

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
CYCLONEDX = "https://cyclonedx.org/bom"
SPDX = "https://spdx.dev/Document"
VULNERABILITIES = "https://in-toto.io/attestation/vulns/v0.2"
PASSED, FAILED = "PASSED", "FAILED"
#: What is attested of every image of a final version.
OF_A_RELEASE = (PREDICATE, CYCLONEDX, SPDX, TEST_RESULT, VULNERABILITIES)


async def state(
    packed: Sequence[Packed], build: Build, scanner: Scanner, started: str, clock: Callable[[], str]
) -> dict[str, list[Statement]]:
    """Hold images against all gates, and return what can be said of each, by its name.

    That is its provenance, its SBOMs, and the results of its checks, its audit and its scan.

    Args:
        packed: the images with the results of their checks, and the parents of each.
        build: their settings and base.
        scanner: from `scan.prepare`.
        started: when the build began, ISO 8601, UTC.
        clock: says the same of now.

    Raises:
        SbomError: an SBOM is not complete.
        AuditError: an image is not as hard as its baseline, or cannot be audited.
        ScanError: an image has vulnerabilities that stop a release, or cannot be scanned.
        ToolError, dagger.ExecError: a gate cannot be held.
    """
    run = await describe_run(started, clock)
    sboms, (audited, scanned) = await both(
        partial(sbom.gate, packed, build),
        partial(both, partial(gate_audit.gate, packed, build), partial(gate_scan.gate, packed, build, scanner)),
    )
    tools = {*SCANNERS, *(one.content for one in audited)}
    said = {name: [statement] for name, statement in provenance_of(packed, build, run, tools).items()}
    finished = clock()
    for one, sbom_of, audit_of, scan_of in zip(packed, sboms, audited, scanned, strict=True):
        digest = one.archive.digest
        said[one.image.name] += [
            *of_sbom(sbom_of, build),
            of_checks(one.checked, digest, build),
            of_audit(audit_of, digest, build),
            of_scan(scan_of, build, run.finished, finished),
        ]
    return said


def of_sbom(sbom: Sbom, build: Build) -> tuple[Statement, Statement]:
    """Return the statements on what is in an image: CycloneDX, and SPDX."""
    name = repository(sbom.image, build)
    return (
        Statement(name, sbom.digest, CYCLONEDX, json.loads(sbom.cyclonedx)),
        Statement(name, sbom.digest, SPDX, json.loads(sbom.spdx)),
    )


def of_checks(checked: CheckedImage, digest: str, build: Build) -> Statement:
    """Return the statement on what the checks inside of an image found.

    Args:
        checked: the image and the results.
        digest: of its manifest.
        build: whose settings say what was built.
    """
    passed = [result.name for result in checked.results if result.passed]
    failed = [result.name for result in checked.results if not result.passed]
    predicate = {"result": FAILED if failed else PASSED, "configuration": [source_of(build)], **_url(build)}
    return Statement(
        repository(checked.image.name, build),
        digest,
        TEST_RESULT,
        {**predicate, "passedTests": passed, "warnedTests": [], "failedTests": failed},
    )


def of_audit(audited: Audited, digest: str, build: Build) -> Statement:
    """Return the statement on the rules of the CIS benchmark that an image passes.

    A rule that fails and that the baseline knows to fail is a warning; those that are not applicable are not named.

    Args:
        audited: the image, held against the baseline.
        digest: of its manifest.
        build: whose settings say what was built.
    """
    bad = [rule for rule, outcome in audited.outcomes.items() if outcome not in HARMLESS]
    failed = [rule for rule in bad if any(problem.startswith(f"{rule}:") for problem in audited.problems)]
    tailoring = {"name": audited.profile, "annotations": {one.rule: one.reason for one in DROPPED}}
    predicate = {
        "result": FAILED if audited.problems else PASSED,
        "configuration": [source_of(build), tool_descriptor(audited.content), tailoring],
        **_url(build),
        "passedTests": [rule for rule, outcome in audited.outcomes.items() if outcome == PASS],
        "warnedTests": [rule for rule in bad if rule not in failed],
        "failedTests": failed,
    }
    return Statement(repository(audited.image, build), digest, TEST_RESULT, predicate)


def of_scan(scanned: ScanResult, build: Build, started: str, finished: str) -> Statement:
    """Return the statement on the vulnerabilities of an image that are known, those that are excepted among them.

    Args:
        scanned: the image and what was found.
        build: whose settings say what was built.
        started: when the scan began, ISO 8601, UTC.
        finished: when it ended.
    """
    database = {"uri": scanned.database, "lastUpdate": scanned.database_updated}
    scanner = {**tool_descriptor("trivy"), "version": TOOLS["trivy"].version, "db": database}
    predicate = {
        "scanner": {**scanner, "result": [_finding(finding) for finding in scanned.findings]},
        "metadata": {"scanStartedOn": started, "scanFinishedOn": finished},
    }
    return Statement(repository(scanned.image, build), scanned.digest, VULNERABILITIES, predicate)


def _finding(finding: Vulnerability) -> dict[str, Any]:
    noted = {"package": finding.purl, "fixedVersion": finding.fixed, "origin": finding.origin}
    if finding.exemption:
        noted |= {"justification": finding.exemption.justification, "expires": finding.exemption.expires}
    return {
        "id": finding.vulnerability,
        "severity": [{"method": "trivy", "score": finding.severity}],
        "annotations": [{key: value} for key, value in noted.items() if value],
    }


def _url(build: Build) -> dict[str, str]:
    job = build.settings.labels.get("CI_JOB_URL", "")
    return {"url": job} if job else {}
