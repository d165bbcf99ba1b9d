"""The findings of an audit, compared with the baseline, as a result of the gate."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import Any

from pipeline.build.inputs import Build
from pipeline.catalogue.image import Image
from pipeline.checks.distribution import Distribution
from pipeline.gates.audit.baseline import HARMLESS, NOT_APPLICABLE, PASS, differences, read_baseline
from pipeline.gates.audit.tailoring import DROPPED, PROFILE
from pipeline.gates.definition import FAILED, PASSED, TEST_RESULT, WARNED, GateResult, Problem, Row
from pipeline.gates.descriptors import job_url, source_descriptor, tool_descriptor
from pipeline.gates.tools import UsedTool
from pipeline.statement import Predicate

NAME = "audit"
#: The kind of result of an image whose distribution has no profile, and its name in statements.
NO_PROFILE = "no profile"
_COMMON = {"rules_left_out": [asdict(one) for one in DROPPED]}


@dataclass(frozen=True)
class Audited:
    """The outcomes of an audited image.

    Args:
        image: the image's name.
        system: the image's distribution, as in debian-12.
        rules: the file with the rules.
        outcomes: the outcome of each rule of the profile, except those of `tailoring.DROPPED`, in XCCDF's words: pass,
            fail, notapplicable, unknown, error …
    """

    image: str
    system: str
    rules: UsedTool
    outcomes: Mapping[str, str] = field(default_factory=dict)

    @property
    def counts(self) -> tuple[int, int, int]:
        """The numbers of rules that passed, failed in any way, and were not applicable."""
        number = Counter(self.outcomes.values())
        return number[PASS], sum(number[word] for word in number if word not in HARMLESS), number[NOT_APPLICABLE]


def problems_of(audited: Audited) -> tuple[Problem, ...]:
    """Compare an audit with the baseline of its distribution.

    Raises:
        HoldError: the baseline is damaged.
    """
    return tuple(differences(audited.outcomes, read_baseline(audited.system)))


def result_of(audited: Audited, problems: tuple[Problem, ...], build: Build) -> GateResult:
    """Return the result of an audit.

    Args:
        audited: the audited image.
        problems: the result of `problems_of`.
        build: the settings of the build.
    """
    return GateResult(
        NAME,
        audited.image,
        problems=problems,
        rows=tuple(_rows(audited, problems)),
        part=_part(audited.rules.name, audited.counts, problems, audited.outcomes),
        common=_COMMON,
        predicates=(_predicate(audited, problems, build),),
        tools=(audited.rules,),
    )


def unaudited(image: str, sentence: str) -> GateResult:
    """Return the result of an image that cannot be audited, so nothing is known about it."""
    problems = (Problem("OpenSCAP", sentence),)
    return GateResult(NAME, image, problems=problems, part=_part("", (0, 0, 0), problems, {}), common=_COMMON)


def without_profile(image: Image, distribution: Distribution, build: Build) -> GateResult:
    """Return the result of an image whose distribution has no profile of the CIS benchmark.

    Args:
        image: the image.
        distribution: of its base.
        build: the settings of the build, which accept that until a day.
    """
    sentence = f"the SCAP Security Guide has no CIS profile of {distribution.name}"
    until = build.settings.no_profile_until_of(image.line.name)
    accepted = f", which the settings accept until {until}" if until else ""
    content = {
        "result": WARNED,
        "configuration": [
            source_descriptor(build),
            {"name": NO_PROFILE, "annotations": {"distribution": distribution.name, "acceptedUntil": until}},
        ],
        **job_url(build),
        "passedTests": [],
        "warnedTests": [NO_PROFILE],
        "failedTests": [],
    }
    return GateResult(
        NAME,
        image.name,
        rows=(Row("none", NO_PROFILE, f"{sentence}{accepted}"),),
        part=_part("", (0, 0, 0), (), {}, unexamined=sentence),
        common=_COMMON,
        predicates=(Predicate(TEST_RESULT, content),),
        unexamined=sentence,
    )


def _part(
    rules: str,
    counts: tuple[int, int, int],
    problems: tuple[Problem, ...],
    outcomes: Mapping[str, str],
    *,
    unexamined: str = "",
) -> dict[str, Any]:
    passed, failed, not_applicable = counts
    document = {
        "rules": rules,
        "unexamined": unexamined,
        "passed": passed,
        "failed": failed,
        "not_applicable": not_applicable,
        "problems": [f"{one.subject}: {one.sentence}" for one in problems],
        "outcomes": dict(outcomes),
    }
    return {"audit": document}


def _rows(audited: Audited, problems: tuple[Problem, ...]) -> Iterator[Row]:
    """Count the rules that passed, those that fail in the baseline too, and those that do not apply to images."""
    passed, _, not_applicable = audited.counts
    if passed:
        sentence = f"of {audited.rules} hold in {audited.system}, {not_applicable} are not applicable"
        yield Row("pass", _count(passed), sentence)
    if known := _warned(audited, problems):
        yield Row("except", _count(len(known)), f"fail in the baseline as well\n{', '.join(known)}")
    for reason, dropped in groupby(DROPPED, lambda one: one.reason):
        rules = [one.rule for one in dropped]
        yield Row("except", _count(len(rules)), f"{reason}\n{', '.join(rules)}")


def _count(rules: int) -> str:
    return f"{rules} rule{'' if rules == 1 else 's'}"


def _warned(audited: Audited, problems: tuple[Problem, ...]) -> list[str]:
    """Return the failed rules that fail in the baseline too."""
    failed = {problem.subject for problem in problems}
    return [rule for rule, outcome in audited.outcomes.items() if outcome not in HARMLESS and rule not in failed]


def _predicate(audited: Audited, problems: tuple[Problem, ...], build: Build) -> Predicate:
    """State the rules of the CIS benchmark that an image passes.

    A failed rule that fails in the baseline too is a warning. Rules that are not applicable are left out.
    """
    warned = _warned(audited, problems)
    bad = [rule for rule, outcome in audited.outcomes.items() if outcome not in HARMLESS]
    tailoring = {"name": PROFILE, "annotations": {one.rule: one.reason for one in DROPPED}}
    content = {
        "result": FAILED if problems else PASSED,
        "configuration": [source_descriptor(build), tool_descriptor(audited.rules), tailoring],
        **job_url(build),
        "passedTests": [rule for rule, outcome in audited.outcomes.items() if outcome == PASS],
        "warnedTests": warned,
        "failedTests": [rule for rule in bad if rule not in warned],
    }
    return Predicate(TEST_RESULT, content)
