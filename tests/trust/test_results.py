"""All that is stated of an image that passed every gate, and what was scanned, in in-toto's form."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement as Validator

from pipeline.build.assembly import BuiltImage
from pipeline.build.inputs import Build
from pipeline.build.labelling import metadata_of
from pipeline.build.settings import moment
from pipeline.checks import CheckResult
from pipeline.errors import GateError
from pipeline.evidence.predicates import Expected, judge
from pipeline.evidence.provenance import PREDICATE, describe_run, digests_of
from pipeline.evidence.results import OF_A_RELEASE, state
from pipeline.gates import GATES
from pipeline.gates.definition import TEST_RESULT, GateInputs
from pipeline.gates.hold import hold
from pipeline.gates.sbom.gate_sbom import CYCLONEDX, SPDX
from pipeline.gates.scan.exemptions import Exemption
from pipeline.gates.scan.findings import Policy, ScanResult, Vulnerability
from pipeline.gates.scan.scanned import VULNERABILITIES, result_of
from pipeline.signing.attestation import Attestation
from pipeline.statement import Statement
from tests.built_images import TRIVY
from tests.trust.databases import CRITICAL, NOT_HERE, make, order_of

STARTED, FINISHED, UPDATED = "2026-01-31T12:00:00Z", "2026-01-31T12:05:00Z", "2026-01-31T06:00:00Z"
PURL = "pkg:deb/ubuntu/zlib1g@1.2"
FOUND = Vulnerability(
    "CVE-2026-1", "high", "zlib1g", PURL, "1.2", "", "base", "A title", "https://example.org", stops=False
)
EXCEPTED = Exemption(
    "CVE-2026-1", PURL, "", "vulnerable_code_not_present", "2026-02-28", "A note", "a.json", "A document"
)
SCANNED = ScanResult(
    image="ska-base",
    distribution="ubuntu 22.04",
    packages=100,
    tool=TRIVY,
    database="registry.example/trivy-db:2",
    database_updated=UPDATED,
    findings=(FOUND, replace(FOUND, vulnerability="CVE-2026-2", fixed="1.3", exemption=EXCEPTED)),
    updates=CheckResult("security-updates", True, "none"),
)


def test_a_scan_is_what_in_toto_has_for_vulnerabilities() -> None:
    (predicate,) = result_of(SCANNED, STARTED, FINISHED, {}).predicates
    statement = Statement("registry.example/ska-base", f"sha256:{'a' * 64}", predicate)
    Validator.copy_from_pb(json_format.Parse(statement.render(), statement_pb2.Statement())).validate()
    scanner = json.loads(predicate.encoded())["scanner"]
    assert predicate.type == VULNERABILITIES
    assert predicate.content["metadata"] == {"scanStartedOn": STARTED, "scanFinishedOn": FINISHED}
    assert (scanner["uri"], scanner["version"]) == ("pkg:generic/trivy@0.76.0", "0.76.0")
    assert scanner["digest"] == {"sha256": TRIVY.checksum}
    assert scanner["db"] == {"uri": "registry.example/trivy-db:2", "lastUpdate": UPDATED}
    assert scanner["result"] == [
        {
            "id": "CVE-2026-1",
            "severity": [{"method": "trivy", "score": "high"}],
            "annotations": [{"package": PURL}, {"origin": "base"}],
        },
        {
            "id": "CVE-2026-2",
            "severity": [{"method": "trivy", "score": "high"}],
            "annotations": [
                {"package": PURL},
                {"fixedVersion": "1.3"},
                {"origin": "base"},
                {"justification": "vulnerable_code_not_present"},
                {"expires": "2026-02-28"},
            ],
        },
    ]


def test_a_release_is_attested_by_what_its_gates_attest() -> None:
    assert set(OF_A_RELEASE) == {PREDICATE, CYCLONEDX, SPDX, TEST_RESULT, VULNERABILITIES}


async def test_an_image_that_passes_every_gate_has_six_predicates_that_hold(
    images: list[BuiltImage], trusting: Build, tmp_path: Path
) -> None:
    inputs = GateInputs(trusting, moment, order_of(make(tmp_path / "db", *NOT_HERE)), tmp_path)
    results = await hold(GATES, (), inputs)
    for gate in GATES:
        assert {each.type for one in results if one.gate == gate.name for each in one.predicates} == set(gate.attests)
    digests = await digests_of(images)
    stated = state(results, digests, trusting, await describe_run(moment(), moment))
    types = [PREDICATE, TEST_RESULT, CYCLONEDX, SPDX, TEST_RESULT, VULNERABILITIES]
    assert {name: [one.type for one in predicates] for name, predicates in stated.items()} == dict.fromkeys(
        digests, types
    )
    policy = Policy(trusting.settings.scan_fails_on, trusting.settings.scan_fails_on_fixable)
    for one in images:
        attestations = [Attestation(each.type, each.encoded()) for each in stated[one.name]]
        origins = judge(attestations, expected(one, digests[one.name], trusting, policy))
        parent = digests[one.image.parent] if one.image.parent else ""
        assert (origins.base, origins.parent) == (trusting.workbench.reference, parent)
    dependencies = stated["ska-base"][0].content["buildDefinition"]["resolvedDependencies"]
    assert [one["name"] for one in dependencies][-2:] == ["ssg-debian12-ds.xml", "trivy"]


def expected(image: BuiltImage, digest: str, build: Build, policy: Policy) -> Expected:
    """Return what the statements on an image have to agree with, by the labels that it gets."""
    metadata = metadata_of(image.image, build)
    return Expected(
        image=image.name,
        digest=digest,
        version=metadata.version,
        created=metadata.created,
        tags=tuple(metadata.tags.split(",")),
        source=metadata.source,
        parent=image.image.parent,
        built_from=metadata.baseImage,
        policy=policy,
    )


async def test_an_image_that_does_not_pass_one_gate_passes_none(trusting: Build, tmp_path: Path) -> None:
    inputs = GateInputs(trusting, moment, order_of(make(tmp_path / "db", CRITICAL)), tmp_path)
    with pytest.raises(GateError, match=rf"^ska-base does not pass scan \({CRITICAL.id}\), so nothing"):
        await hold(GATES, ["ska-base"], inputs)
