"""An audit that is not as good as the committed baseline stops a release."""

import json
from pathlib import Path

import pytest

from pipeline.errors import HoldError
from pipeline.gates.audit import baseline
from pipeline.gates.audit.baseline import Baseline, differences, read_baseline, render_baseline
from pipeline.gates.definition import Problem

KNOWN = Baseline({"one": "pass", "two": "fail", "three": "notapplicable"})


def test_the_same_outcomes_stop_nothing() -> None:
    assert differences(KNOWN.outcomes, KNOWN) == []


@pytest.mark.parametrize(
    ("differs", "problem"),
    [
        ({"one": "fail"}, Problem("one", "fail, in the baseline pass")),
        ({"three": "fail"}, Problem("three", "fail, in the baseline notapplicable")),
        ({"four": "fail"}, Problem("four", "fail, not in the baseline")),
        ({"two": "error"}, Problem("two", "error, in the baseline fail")),
        ({"four": "unknown"}, Problem("four", "unknown, not in the baseline")),
        ({"four": "notchecked"}, Problem("four", "notchecked, not in the baseline")),
        ({"one": "notapplicable"}, Problem("one", "notapplicable, in the baseline pass")),
    ],
)
def test_an_outcome_that_is_worse_stops_a_release(differs: dict[str, str], problem: Problem) -> None:
    assert differences({**KNOWN.outcomes, "five": "pass", **differs}, KNOWN) == [problem]


def test_a_rule_that_passed_and_is_gone_stops_a_release() -> None:
    assert differences({"five": "pass", "two": "fail"}, KNOWN) == [Problem("one", "gone, in the baseline pass")]


@pytest.mark.parametrize("differs", [{"two": "pass"}, {"three": "pass"}, {"four": "pass"}, {"four": "notapplicable"}])
def test_an_outcome_that_is_better_stops_nothing(differs: dict[str, str]) -> None:
    assert differences({**KNOWN.outcomes, **differs}, KNOWN) == []


def test_nothing_passed_stops_a_release() -> None:
    found = differences({"three": "notapplicable"}, None)
    assert found == [Problem("no rule passed at all", "the rules are not those of this image")]


def test_without_a_baseline_every_failure_stops_a_release() -> None:
    assert differences(KNOWN.outcomes, None) == [Problem("two", "fail, not in the baseline")]


def test_a_distribution_without_a_baseline_has_none() -> None:
    assert read_baseline("debian-99") is None


def test_a_baseline_is_read_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baseline, "_DIRECTORY", tmp_path)
    (tmp_path / "debian-12.json").write_text(render_baseline("profile", "content", KNOWN.outcomes))
    assert read_baseline("debian-12") == KNOWN


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rules": 1}', '{"rules": {"pass": 1}}'])
def test_a_damaged_baseline_is_an_error(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baseline, "_DIRECTORY", tmp_path)
    (tmp_path / "debian-12.json").write_text(text)
    with pytest.raises(HoldError, match=r"debian-12\.json cannot be read .*; restore the file"):
        read_baseline("debian-12")


def test_no_rule_of_the_committed_baseline_fails() -> None:
    document = json.loads((Path(baseline._DIRECTORY) / "debian-12.json").read_text())
    assert set(document["rules"]) == {"pass", "notapplicable"}
