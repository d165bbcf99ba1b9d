"""The definition of a gate: it prepares what it needs, then examines images and returns a result for each."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pipeline.build.assembly import BuiltImage
from pipeline.build.inputs import Build
from pipeline.gates.scan.database import DatabaseOrder
from pipeline.gates.scan.exemptions import VEX
from pipeline.gates.tools import UsedTool
from pipeline.statement import Predicate

#: The type of a predicate about passed tests, which `judge` in evidence/predicates.py verifies.
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
PASSED, WARNED, FAILED = "PASSED", "WARNED", "FAILED"


@dataclass(frozen=True)
class Problem:
    """A reason not to release an image, which the table marks FAIL.

    Args:
        subject: the check, rule, vulnerability or file that it is about.
        sentence: the finding and the expectation; further lines are shown below the first.
    """

    subject: str
    sentence: str


@dataclass(frozen=True)
class Row:
    """A row of the table that does not block a release.

    Args:
        mark: `except` for a finding that would block a release without a documented exception; `none` where nothing
            could be examined.
        subject: what the row is about.
        sentence: the finding; further lines are shown below the first.
    """

    mark: Literal["pass", "except", "none"]
    subject: str
    sentence: str


@dataclass(frozen=True)
class GateResult:
    """The result of a gate for one image, in a form that is the same for all gates.

    Args:
        gate: the gate's name.
        image: the image's name.
        problems: what blocks a release; empty if the image passed.
        rows: the other rows of the table.
        part: fields of the image in report.json.
        common: fields of report.json itself, the same in each result.
        files: files for the report's directory, by path; results may share a file with the same content.
        predicates: the statements about an image that passed.
        tools: the tools that the gate used.
        unexamined: why the gate found nothing out about the image, as where no rules exist; otherwise empty. A release
            of the image must accept that.
    """

    gate: str
    image: str
    problems: tuple[Problem, ...] = ()
    rows: tuple[Row, ...] = ()
    part: Mapping[str, Any] = field(default_factory=dict)
    common: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    predicates: tuple[Predicate, ...] = ()
    tools: tuple[UsedTool, ...] = ()
    unexamined: str = ""


#: Examines images concurrently. What is wrong with an image is in its result, never an exception.
Look = Callable[[Sequence[BuiltImage]], Awaitable[list[GateResult]]]


@dataclass(frozen=True)
class GateInputs:
    """The inputs of gates besides the images.

    Args:
        build: the settings, the base that tools run on, and the tools.
        clock: returns the present time, as in 2026-01-31T12:00:00Z.
        database: the source of Trivy's database.
        vex: the directory of the scan's exceptions.
    """

    build: Build
    clock: Callable[[], str]
    database: DatabaseOrder = field(default_factory=DatabaseOrder)
    vex: Path = VEX


@dataclass(frozen=True)
class Gate:
    """A gate that every image must pass before a release.

    Args:
        name: one word, as in the table.
        prepare: prepares what the gate needs, so that a faulty tool, database or exception is reported before an
            image is built; raises ToolError, HoldError or SettingsError.
        needs_tools: whether it needs --tools; a pre-release may be published without such gates.
        attests: the types of its predicates, which verification requires.
    """

    name: str
    prepare: Callable[[GateInputs], Awaitable[Look]]
    needs_tools: bool
    attests: tuple[str, ...]
