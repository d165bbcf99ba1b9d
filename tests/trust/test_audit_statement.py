"""What is said of an audit, as in-toto has it."""

from dataclasses import replace
from typing import Any

import pytest
from dagger import dag

from pipeline.build.inputs import Base, Build
from pipeline.build.settings import Settings
from pipeline.evidence.results import TEST_RESULT, of_audit
from pipeline.evidence.statement import Statement
from pipeline.gates.audit.audited import Audited
from pipeline.gates.audit.tailoring import DROPPED, PROFILE
from pipeline.gates.tools import TOOLS

DIGEST = "sha256:" + "a" * 64
OUTCOMES = {"one": "pass", "two": "notapplicable", "three": "fail"}
CONTENT = "ssg-debian12-ds.xml"
KNOWN = Audited("ska-base", "debian-12", PROFILE, CONTENT, OUTCOMES)


def said(audited: Audited) -> Statement:
    return of_audit(audited, DIGEST, Build(Settings(), Base(dag.container(), "bootstrap:debian-12")))


def predicate(audited: Audited) -> dict[str, Any]:
    return dict(said(audited).predicate)


def test_it_is_of_the_image() -> None:
    statement = said(KNOWN)
    assert (statement.subject, statement.digest) == ("artefact.skao.int/ska-base", DIGEST)
    assert statement.predicate_type == TEST_RESULT


def test_a_failure_that_the_baseline_knows_is_a_warning() -> None:
    found = predicate(KNOWN)
    assert (found["result"], found["passedTests"], found["warnedTests"], found["failedTests"]) == (
        "PASSED",
        ["one"],
        ["three"],
        [],
    )


@pytest.mark.parametrize("problem", ["three: fail, not in the baseline", "three: fail, in the baseline pass"])
def test_another_failure_is_a_failure(problem: str) -> None:
    found = predicate(replace(KNOWN, problems=(problem,)))
    assert (found["result"], found["warnedTests"], found["failedTests"]) == ("FAILED", [], ["three"])


def test_a_rule_that_is_gone_is_a_failed_audit() -> None:
    assert predicate(replace(KNOWN, problems=("four: gone, in the baseline pass",)))["result"] == "FAILED"


def test_the_rules_and_what_was_dropped_of_them_are_named() -> None:
    _, content, tailoring = predicate(KNOWN)["configuration"]
    assert content["digest"]["sha256"] in TOOLS[CONTENT].files
    assert (tailoring["name"], len(tailoring["annotations"])) == (PROFILE, len(DROPPED))
