"""Statements on a release that do not say that every gate was passed, of this very image, are refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pipeline.build.settings import Settings
from pipeline.errors import VerificationError
from pipeline.evidence.predicates import Expected, Origins, judge, origins_of
from pipeline.gates.scan.exemptions import Exemption
from pipeline.gates.scan.findings import Policy, Vulnerability
from pipeline.release.push import Candidate
from pipeline.signing.attestation import Attestation
from pipeline.statement import Predicate
from tests.built_images import OF_ONE_LINE
from tests.publish.small_release import BASE, CREATED
from tests.trust.attested import KINDS, RUN, signed_as, statements

REGISTRY = "registry.example"
DIGESTS = {name: f"sha256:{number:064x}" for number, name in enumerate(OF_ONE_LINE, start=1)}
EXPECTED = Expected(
    image="ska-build",
    digest=DIGESTS["ska-build"],
    version="1.0.0",
    created=CREATED,
    tags=("1.0.0", "1.0"),
    source=Settings().source,
    parent="ska-base",
    built_from=f"{REGISTRY}/ska-base:1.0.0",
    policy=Policy("critical", "high"),
)
PURL = "pkg:deb/ubuntu/zlib1g@1.2"
FOUND = Vulnerability(
    "CVE-2026-1", "high", "zlib1g", PURL, "1.2", "", "base", "A title", "https://example.org", stops=False
)
EXCEPTED = Exemption("CVE-2026-1", PURL, "", "vulnerable_code_not_present", CREATED[:10], "A note", "a.json", "{}")


def _no_content() -> Any:
    raise AssertionError("Nothing is pushed.")


def kinds(**differs: Any) -> dict[str, Predicate]:
    """Return what is stated of ska-build."""
    images = [Candidate(name, image.parent, DIGESTS[name], _no_content) for name, image in OF_ONE_LINE.items()]
    return statements(images, REGISTRY, base=BASE, extra_tags=("1.0",), **differs)["ska-build"]


def signed(**differs: Any) -> list[Attestation]:
    return [signed_as(one) for one in kinds(**differs).values()]


def changed(kind: str, change: Callable[[dict[str, Any]], None]) -> list[Attestation]:
    """Return all that is signed, with one predicate changed in place."""
    found = kinds()
    predicate = json.loads(found[kind].encoded())
    change(predicate)
    return [signed_as(replace(one, content=predicate) if name == kind else one) for name, one in found.items()]


def refused(attestations: list[Attestation]) -> str:
    with pytest.raises(VerificationError) as caught:
        judge(attestations, EXPECTED)
    return str(caught.value)


def test_all_that_the_pipeline_states_of_a_release_holds() -> None:
    builder = f"{Settings().source}/-/blob/main/docs/build-type.md#own-machine"
    assert judge(signed(), EXPECTED) == Origins(BASE, DIGESTS["ska-base"], builder)
    assert RUN.platform == "linux/amd64"


@pytest.mark.parametrize("gone", KINDS)
def test_each_kind_of_statement_must_be_there(gone: str) -> None:
    found = kinds()
    assert "is not valid" in refused([signed_as(one) for kind, one in found.items() if kind != gone])


@pytest.mark.parametrize("twice", KINDS)
def test_no_kind_of_statement_may_stand_twice(twice: str) -> None:
    assert "is not valid" in refused([*signed(), signed_as(kinds()[twice])])


def test_a_result_that_contradicts_another_is_a_failure() -> None:
    failed = signed_as(kinds(is_right=False)["checks"])
    assert "the checks ended with 'FAILED': security-updates" in refused([*signed(), failed])


@pytest.mark.parametrize("result", ["FAILED", "WARNED", "passed", "", None, True, ["PASSED"]])
@pytest.mark.parametrize("kind", ["checks", "audit"])
def test_any_result_but_passed_is_a_failure(kind: str, result: Any) -> None:
    message = refused(changed(kind, lambda predicate: predicate.update(result=result)))
    assert f"the {kind} ended with {result!r}: no test named" in message


def test_a_result_that_passed_with_a_failed_test_is_a_failure() -> None:
    message = refused(changed("checks", lambda predicate: predicate.update(failedTests=["login"])))
    assert "the checks ended with 'PASSED': login" in message


def test_a_result_of_no_test_is_a_failure() -> None:
    message = refused(changed("audit", lambda predicate: predicate.update(passedTests=[])))
    assert "the audit passed no test at all" in message


@pytest.mark.parametrize(
    ("severity", "fixed"), [("critical", ""), ("critical", "1.3"), ("high", "1.3"), ("grave", ""), ("", "")]
)
def test_a_vulnerability_that_stops_a_release_is_a_failure(severity: str, fixed: str) -> None:
    assert "'CVE-2026-1'" in refused(signed(findings=(replace(FOUND, severity=severity, fixed=fixed),)))


@pytest.mark.parametrize(("severity", "fixed"), [("high", ""), ("medium", "1.3"), ("unknown", "")])
def test_a_vulnerability_that_stops_no_release_is_not(severity: str, fixed: str) -> None:
    judge(signed(findings=(replace(FOUND, severity=severity, fixed=fixed),)), EXPECTED)


def test_an_exception_holds_to_its_last_day() -> None:
    judge(signed(findings=(replace(FOUND, severity="critical", exemption=EXCEPTED),)), EXPECTED)


@pytest.mark.parametrize("change", [{"expires": "2026-11-23"}, {"justification": "no_time"}, {"expires": "zzz"}])
def test_an_exception_that_does_not_hold_excepts_nothing(change: dict[str, str]) -> None:
    exemption = replace(EXCEPTED, **change)
    assert "its scan is not valid" in refused(
        signed(findings=(replace(FOUND, severity="critical", exemption=exemption),))
    )


@pytest.mark.parametrize("score", [None, 7, []])
def test_a_severity_that_is_not_a_text_is_a_failure(score: Any) -> None:
    def change(predicate: dict[str, Any]) -> None:
        predicate["scanner"]["result"] = [{"id": "CVE-1", "severity": [{"score": score}], "annotations": []}]

    assert "its scan is not valid" in refused(changed("scan", change))


def _component(predicate: dict[str, Any]) -> dict[str, Any]:
    return predicate["metadata"]["component"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("kind", "change", "sentence"),
    [
        ("cyclonedx", lambda one: _component(one).update(name="ska-base"), "its subject is 'ska-base'"),
        ("cyclonedx", lambda one: _component(one).update(version=DIGESTS["ska-base"]), "the digest of its subject"),
        ("cyclonedx", lambda one: one.update(components=[]), "it lists no package"),
        ("cyclonedx", lambda one: one.update(bomFormat="Other"), "bomFormat is 'Other'"),
        ("spdx", lambda one: one["packages"][0].update(name="ska-base"), "its subject is 'ska-base'"),
        ("spdx", lambda one: one["packages"][0].update(versionInfo="sha256:1"), "the digest of its subject"),
        ("spdx", lambda one: one["packages"].pop(), "it lists no package"),
        ("spdx", lambda one: one["packages"].append(one["packages"][0]), "2 statements are signed"),
    ],
)
def test_an_sbom_is_of_the_image(kind: str, change: Callable[[dict[str, Any]], None], sentence: str) -> None:
    assert sentence in refused(changed(kind, change))


def _parameters(one: dict[str, Any]) -> dict[str, Any]:
    return one["buildDefinition"]["externalParameters"]  # type: ignore[no-any-return]


def _dependency(one: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [used for used in one["buildDefinition"]["resolvedDependencies"] if used["name"] == name]
    return found  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda one: one["buildDefinition"].update(buildType="https://x.example"), "the type of its build is"),
        (lambda one: _parameters(one).update(image="ska-base"), "its parameter image is 'ska-base'"),
        (lambda one: _parameters(one).update(version="1.0.1"), "its parameter version is '1.0.1'"),
        (lambda one: _parameters(one).update(tags=["1.0.0"]), "its parameter tags"),
        (lambda one: _parameters(one).update(base="ubuntu:24.04"), "its parameter base is 'ubuntu:24.04'"),
        (lambda one: _dependency(one, "base").update(digest={"sha256": "0"}), "the digest of its base"),
        (lambda one: _dependency(one, "ska-base").update(uri="a.example/ska-base:1"), "its parent is 'a.example"),
        (lambda one: _dependency(one, "ska-base").update(digest={"sha256": "0"}), "the digest of its parent"),
        (lambda one: _dependency(one, "ska-base").update(name="other"), "it names 0 dependencies 'ska-base'"),
        (lambda one: _dependency(one, "source").update(name="base"), "it names 2 dependencies 'base'"),
        (lambda one: _dependency(one, "source").update(uri="git+https://x.example/a"), "its source is 'git+https://x"),
        (lambda one: one["runDetails"].pop("builder"), "it has no field 'builder'"),
        (
            lambda one: one["runDetails"].update(builder={"id": "https://x.example"}),
            "its builder is 'https://x.example'",
        ),
    ],
)
def test_the_provenance_is_that_of_the_image(change: Callable[[dict[str, Any]], None], sentence: str) -> None:
    attestations = changed("provenance", change)
    assert sentence in refused(attestations)
    with pytest.raises(VerificationError, match="its provenance is not valid"):
        origins_of(attestations, EXPECTED)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("predicate", [b"[]", b'"text"', b"{", b'{"result": "FAILED", "result": "PASSED"}'])
def test_a_predicate_that_is_not_an_object_is_refused(kind: str, predicate: bytes) -> None:
    found = kinds()
    rest = [signed_as(one) for name, one in found.items() if name != kind]
    assert "is not valid" in refused([*rest, Attestation(found[kind].type, predicate)])
