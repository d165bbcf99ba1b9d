"""What an audit found in an image, held against the baseline, and as a table."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from pipeline.errors import AuditError
from pipeline.escape import escaped
from pipeline.gates.audit.baseline import HARMLESS, NOT_APPLICABLE, PASS, differences, read_baseline
from pipeline.gates.audit.tailoring import DROPPED
from pipeline.gates.tools import TOOLS


@dataclass(frozen=True)
class Audited:
    """An image, and what each rule found.

    Args:
        image: its name.
        system: its distribution, as in debian-12.
        profile: the rules that were selected, without those of `tailoring.DROPPED`.
        content: the file that they are from, one of tools.TOOLS.
        outcomes: of each rule, in XCCDF's words: pass, fail, notapplicable, unknown, error …
        problems: what stops a release, a sentence each.
    """

    image: str
    system: str
    profile: str
    content: str
    outcomes: Mapping[str, str]
    problems: tuple[str, ...] = ()

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many rules passed, failed in any way, and were not applicable."""
        number = Counter(self.outcomes.values())
        return number[PASS], sum(number[word] for word in number if word not in HARMLESS), number[NOT_APPLICABLE]


def judged(audited: Audited) -> Audited:
    """Hold an audit against the baseline of its distribution.

    Raises:
        AuditError: the baseline is damaged.
    """
    return replace(audited, problems=tuple(differences(audited.outcomes, read_baseline(audited.system))))


def audit_table(audited: Sequence[Audited]) -> str:
    """Return the counts of each image with what stops it below, and the rules that were dropped."""
    lines = [f"{'':18}passed  failed  not applicable"]
    for one in audited:
        passed, failed, not_applicable = one.counts
        lines.append(
            f"{one.image:18}{passed:6}  {failed:6}  {not_applicable:14}  {one.system}, {versioned(one.content)}"
        )
        lines += [f"  FAIL  {escaped(problem)}" for problem in one.problems]
    lines += ["", "CIS Level 1 for servers, without the rules that say nothing about an image:"]
    for reason, dropped in groupby(DROPPED, lambda one: one.reason):
        lines += [f"  {reason}", *(f"    {one.rule}" for one in dropped)]
    return "\n".join(lines) + "\n"


def require_hard(audited: Sequence[Audited]) -> None:
    """Refuse images that are not as hard as their baseline.

    Raises:
        AuditError: one is not; the text holds the whole table.
    """
    if failed := [one.image for one in audited if one.problems]:
        raise AuditError(
            f"The audit of {', '.join(failed)} found what its baseline does not know, so nothing is handed out; "
            f"mend what is marked FAIL and run again.\n{audit_table(audited)}".rstrip()
        )


def versioned(content: str) -> str:
    """Return the name of a file of rules with its version."""
    return f"{content} {TOOLS[content].version}"
