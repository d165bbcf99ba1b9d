"""The committed outcomes of an earlier audit, one file for each distribution, with which later audits are compared."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import HoldError
from pipeline.gates.definition import Problem

_DIRECTORY = Path(__file__).parents[2] / "data" / "baselines"
PASS, NOT_APPLICABLE = "pass", "notapplicable"
#: Outcomes that need no correction.
HARMLESS = frozenset({PASS, NOT_APPLICABLE, "informational", "fixed"})


@dataclass(frozen=True)
class Baseline:
    """The known outcomes of all images of a distribution.

    Args:
        outcomes: the outcome of each rule, in XCCDF's words: pass, fail, notapplicable, unknown, error …
    """

    outcomes: Mapping[str, str]


def read_baseline(system: str) -> Baseline | None:
    """Return the baseline of a distribution; None if there is none yet.

    Args:
        system: the distribution, as in debian-12.

    Raises:
        HoldError: the file is damaged.
    """
    path = _DIRECTORY / f"{system}.json"
    if not path.exists():
        return None
    try:
        document = json.loads(path.read_text())
        return Baseline({rule: outcome for outcome, rules in document["rules"].items() for rule in rules})
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise HoldError(f"The baseline {path.name} cannot be read ({error!r}); restore the file.") from error


def render_baseline(profile: str, content: str, outcomes: Mapping[str, str]) -> str:
    """Return the text of a baseline with one rule a line, so that a review shows each change."""
    by_outcome = {outcome: sorted(_of(outcomes, outcome)) for outcome in sorted(set(outcomes.values()))}
    return json.dumps({"profile": profile, "content": content, "rules": by_outcome}, indent=2) + "\n"


def differences(outcomes: Mapping[str, str], baseline: Baseline | None) -> list[Problem]:
    """Return the reasons not to release.

    Without a baseline, every failed rule is one. With a baseline, rules that fail in it are not, but a rule that passes
    in it must neither fail nor disappear, for example because a package hides it.
    """
    known = baseline.outcomes if baseline else {}
    found: list[Problem] = []
    if not _of(outcomes, PASS):
        found.append(Problem("no rule passed at all", "the rules are not those of this image"))
    for rule, outcome in outcomes.items():
        if outcome not in HARMLESS and known.get(rule) != outcome:
            found.append(Problem(rule, f"{outcome}, {_in_the_baseline(known.get(rule))}"))
    for rule in _of(known, PASS):
        now = outcomes.get(rule, "gone")
        if now in HARMLESS - {PASS} or now == "gone":
            found.append(Problem(rule, f"{now}, {_in_the_baseline(PASS)}"))
    return found


def _in_the_baseline(outcome: str | None) -> str:
    return f"in the baseline {outcome}" if outcome else "not in the baseline"


def _of(outcomes: Mapping[str, str], outcome: str) -> list[str]:
    return [rule for rule, found in outcomes.items() if found == outcome]
