"""What is stated of an audit, in in-toto's form."""

from typing import Any

from pipeline.catalogue.lookup import find
from pipeline.checks.distribution import DISTRIBUTIONS
from pipeline.gates.audit.audited import Audited, result_of, without_profile
from pipeline.gates.audit.tailoring import DROPPED, PROFILE
from pipeline.gates.definition import TEST_RESULT, Problem
from tests.built_images import RULES, stand_in_build

KNOWN = Audited("ska-base", "debian-12", RULES, {"one": "pass", "two": "notapplicable", "three": "fail"})


def predicate(*problems: Problem) -> dict[str, Any]:
    (one,) = result_of(KNOWN, problems, stand_in_build()).predicates
    assert one.type == TEST_RESULT
    return dict(one.content)


def test_a_failure_that_the_baseline_knows_is_a_warning() -> None:
    found = predicate()
    assert (found["result"], found["passedTests"], found["warnedTests"], found["failedTests"]) == (
        "PASSED",
        ["one"],
        ["three"],
        [],
    )


def test_another_failure_is_a_failure() -> None:
    found = predicate(Problem("three", "fail, not in the baseline"))
    assert (found["result"], found["warnedTests"], found["failedTests"]) == ("FAILED", [], ["three"])


def test_a_rule_whose_name_begins_like_another_s_is_not_that_rule() -> None:
    found = predicate(Problem("thr", "fail, not in the baseline"))
    assert (found["warnedTests"], found["failedTests"]) == (["three"], [])


def test_a_rule_that_is_gone_is_a_failed_audit() -> None:
    assert predicate(Problem("four", "gone, in the baseline pass"))["result"] == "FAILED"


def test_the_rules_and_what_was_dropped_of_them_are_named() -> None:
    _, content, tailoring = predicate()["configuration"]
    assert (content["name"], content["digest"]) == (RULES.name, {"sha256": RULES.checksum})
    assert (tailoring["name"], len(tailoring["annotations"])) == (PROFILE, len(DROPPED))


def test_a_distribution_without_a_profile_is_a_result_of_its_own_kind() -> None:
    build = stand_in_build(no_profile_until="ubuntu26=2026-12-31")
    found = without_profile(find("ska-base-ubuntu26"), DISTRIBUTIONS["ubuntu-26.04"], build)
    sentence = "the SCAP Security Guide has no CIS profile of ubuntu-26.04"
    assert (found.problems, found.unexamined, found.part["audit"]["unexamined"]) == ((), sentence, sentence)
    assert [(row.mark, row.subject) for row in found.rows] == [("none", "no profile")]
    (one,) = found.predicates
    assert (one.content["result"], one.content["warnedTests"]) == ("WARNED", ["no profile"])
    assert one.content["configuration"][1]["annotations"]["acceptedUntil"] == "2026-12-31"


def test_an_audited_image_is_examined() -> None:
    assert result_of(KNOWN, (), stand_in_build()).unexamined == ""
