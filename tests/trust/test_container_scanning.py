"""GitLab's report holds what its schema wants and no more than what was found."""

import uuid
from dataclasses import replace
from typing import Any

import pytest

from pipeline.build.inputs import Build
from pipeline.build.settings import Settings
from pipeline.checks import CheckResult
from pipeline.gates.scan.container_scanning import container_scanning
from pipeline.gates.scan.exemptions import Exemption
from pipeline.gates.scan.findings import ScanResult, Vulnerability
from tests.built_images import TRIVY, build_on

TEXT = {"type": "string", "minLength": 1}
MOMENT = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$"}
LINK = {"type": "string", "pattern": "^https?://.+"}


def having(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def many(items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


TOOL = having(id=TEXT, name=TEXT, version=TEXT, vendor=having(name=TEXT))
IDENTIFIER = having(type=TEXT, name=TEXT, value=TEXT)
IDENTIFIER["properties"]["url"] = LINK
#: What version 15.0.6 of GitLab's schema requires, in short.
SCHEMA = having(
    version={"const": "15.0.6"},
    scan=having(
        type={"const": "container_scanning"},
        status={"enum": ["success", "failure"]},
        start_time=MOMENT,
        end_time=MOMENT,
        scanner=TOOL,
        analyzer=TOOL,
    ),
    vulnerabilities=many(
        having(
            id=TEXT,
            name={"type": "string", "maxLength": 255},
            severity={"enum": ["Info", "Unknown", "Low", "Medium", "High", "Critical"]},
            solution={"type": "string", "maxLength": 7000},
            identifiers=many(
                {
                    **having(type=TEXT, name=TEXT, value=TEXT),
                    "dependentSchemas": {"url": {"properties": {"url": LINK}}},
                },
                minItems=1,
            ),
            links=many(having(url=LINK)),
            location=having(
                dependency=having(package=having(name=TEXT), version={"type": "string"}),
                operating_system=TEXT,
                image=TEXT,
            ),
            flags=many(having(type={"const": "flagged-as-likely-false-positive"}, origin=TEXT, description=TEXT)),
        )
    ),
)
FINDING = Vulnerability(
    vulnerability="CVE-2026-0001",
    severity="critical",
    package="libc6",
    purl="pkg:deb/debian/libc6@1",
    installed="1",
    fixed="2",
    origin="base",
    title="planted",
    url="https://example.org/CVE-2026-0001",
    stops=True,
)
EXEMPTION = Exemption("CVE-2026-0001", "pkg:deb/debian/libc6", "", "component_not_present", "2027-01-31", "", "f", "{}")


def reported(build: Build, *findings: Vulnerability) -> dict[str, Any]:
    updates = CheckResult("security-updates", True, "")
    one = ScanResult("ska-base", "debian 12", 1, TRIVY, "X", "2026-01-01", findings, updates)
    return container_scanning([one], build, "2026-01-31T12:00:00Z", "2026-01-31T12:00:05Z")


@pytest.fixture
def build() -> Build:
    container: Any = None
    return build_on(Settings(), "bootstrap:debian-12", container=container)


def validate(document: object) -> None:
    # It compiles grammars of addresses for seconds, which every run of any test would spend.
    import jsonschema  # type: ignore[import-untyped]

    jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    "finding",
    [
        FINDING,
        replace(FINDING, fixed="", url="", title=""),
        replace(FINDING, title="x" * 1000),
        replace(FINDING, url="javascript:alert(1)"),
        replace(FINDING, exemption=EXEMPTION, stops=False),
        *(replace(FINDING, severity=severity) for severity in ("unknown", "low", "medium", "high")),
    ],
)
def test_every_finding_fits_the_schema(build: Build, finding: Vulnerability) -> None:
    validate(reported(build, finding))


def test_nothing_found_is_a_report_as_well(build: Build) -> None:
    validate(reported(build))


def test_a_finding_keeps_its_id_and_others_have_their_own(build: Build) -> None:
    other = replace(FINDING, purl="pkg:deb/debian/libc-bin@1")
    first, second = ([one["id"] for one in reported(build, FINDING, other)["vulnerabilities"]] for _ in range(2))
    assert first == second and len({uuid.UUID(one) for one in first}) == 2


def test_an_excepted_finding_is_flagged_with_its_reason(build: Build) -> None:
    (one,) = reported(build, replace(FINDING, exemption=EXEMPTION))["vulnerabilities"]
    assert [flag["description"] for flag in one["flags"]] == ["component_not_present, until 2027-01-31: "]
