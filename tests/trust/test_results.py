"""All that is said of an image when it has passed every gate; what was scanned, as in-toto has it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from dagger import dag
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement as Validator

from pipeline.build.assembly import Packed
from pipeline.build.inputs import Base, Build
from pipeline.build.labelling import metadata_of
from pipeline.build.settings import Settings, moment
from pipeline.checks import CheckResult
from pipeline.errors import ScanError
from pipeline.evidence.predicates import Expected, judge
from pipeline.evidence.provenance import PREDICATE
from pipeline.evidence.results import CYCLONEDX, SPDX, TEST_RESULT, VULNERABILITIES, of_scan, state
from pipeline.gates.scan.database import DatabaseOrder
from pipeline.gates.scan.exemptions import Exemption
from pipeline.gates.scan.findings import Policy, ScanResult, Vulnerability
from pipeline.gates.scan.gate_scan import prepare
from pipeline.gates.tools import TOOLS
from pipeline.signing.attestation import Attestation
from tests.trust.databases import CRITICAL, make

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
    digest=f"sha256:{'a' * 64}",
    distribution="ubuntu 22.04",
    packages=100,
    scanner="Trivy 0.76.0",
    database="registry.example/trivy-db:2",
    database_updated=UPDATED,
    findings=(FOUND, replace(FOUND, vulnerability="CVE-2026-2", fixed="1.3", exemption=EXCEPTED)),
    updates=CheckResult("security-updates", True, "none"),
)


def test_a_scan_is_what_in_toto_has_for_vulnerabilities() -> None:
    statement = of_scan(SCANNED, Build(Settings(), Base(dag.container(), "bootstrap:debian-12")), STARTED, FINISHED)
    Validator.copy_from_pb(json_format.Parse(statement.render(), statement_pb2.Statement())).validate()
    scanner = json.loads(statement.predicate_json())["scanner"]
    assert (statement.predicate_type, statement.digest) == (VULNERABILITIES, SCANNED.digest)
    assert statement.predicate["metadata"] == {"scanStartedOn": STARTED, "scanFinishedOn": FINISHED}
    assert (scanner["uri"], scanner["version"]) == (f"pkg:generic/trivy@{TOOLS['trivy'].version}", "0.76.0")
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


async def test_an_image_that_passes_every_gate_has_six_statements_that_hold(
    packed: list[Packed], trusting: Build, tmp_path: Path
) -> None:
    order = DatabaseOrder(directory=dag.host().directory(str(make(tmp_path / "db"))))
    said = await state(packed, trusting, await prepare(trusting, order, moment()), moment(), moment)
    types = [PREDICATE, CYCLONEDX, SPDX, TEST_RESULT, TEST_RESULT, VULNERABILITIES]
    assert {name: [one.predicate_type for one in statements] for name, statements in said.items()} == {
        one.image.name: types for one in packed
    }
    assert {(name, one.digest) for name, statements in said.items() for one in statements} == {
        (one.image.name, one.archive.digest) for one in packed
    }
    policy = Policy(trusting.settings.scan_fails_on, trusting.settings.scan_fails_on_fixable)
    for one in packed:
        attestations = [Attestation(each.predicate_type, each.predicate_json()) for each in said[one.image.name]]
        origins = judge(attestations, expected(one, trusting, policy))
        parents = [other.archive.digest for other in packed if other.image.name == one.image.parent]
        assert (origins.base, [origins.parent]) == (trusting.base.reference, parents or [""])
    dependencies = said["ska-base"][0].predicate["buildDefinition"]["resolvedDependencies"]
    assert [one["name"] for one in dependencies][-2:] == ["ssg-debian12-ds.xml", "trivy"]


def expected(packed: Packed, build: Build, policy: Policy) -> Expected:
    """Return what the statements on an image have to agree with, by the labels that it gets."""
    metadata = metadata_of(packed.image, build)
    return Expected(
        image=packed.image.name,
        digest=packed.archive.digest,
        version=metadata.version,
        created=metadata.created,
        tags=tuple(metadata.tags.split(",")),
        source=metadata.source,
        parent=packed.image.parent,
        built_from=metadata.baseImage,
        policy=policy,
    )


async def test_nothing_is_said_of_an_image_that_does_not_pass(
    packed: list[Packed], trusting: Build, tmp_path: Path
) -> None:
    order = DatabaseOrder(directory=dag.host().directory(str(make(tmp_path / "db", CRITICAL))))
    scanner = await prepare(trusting, order, moment())
    with pytest.raises(ScanError, match=CRITICAL.id):
        await state(packed[:1], trusting, scanner, moment(), moment)
