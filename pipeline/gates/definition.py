"""What a gate is: it prepares what it needs, then looks at images and returns one result for each."""

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

#: The type of a predicate that says which tests an image passed; `judge` in evidence/predicates.py reads those.
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
PASSED, FAILED = "PASSED", "FAILED"


@dataclass(frozen=True)
class Problem:
    """A reason not to release an image, which the table marks FAIL.

    Args:
        subject: what it is about: the name of a check, a rule, a vulnerability or a file.
        sentence: what was found, and what was expected; further lines go below it.
    """

    subject: str
    sentence: str


@dataclass(frozen=True)
class Row:
    """A line of the table that stops no release.

    Args:
        mark: `except` for what would stop one, if nobody had excepted it with a reason.
        subject: what the row is about.
        sentence: what was found; further lines go below it.
    """

    mark: Literal["pass", "except"]
    subject: str
    sentence: str


@dataclass(frozen=True)
class GateResult:
    """What a gate found in one image. Nobody needs to know which gate it was.

    Args:
        gate: its name.
        image: the image's name.
        problems: what stops a release; the image passed where there are none.
        rows: what else the table shows.
        part: fields of the image in report.json.
        common: fields of report.json itself, the same in each result.
        files: beside the report, by their paths; results may share one, with the same contents.
        predicates: what is attested of an image that passed.
        tools: whose programs and rules let it pass.
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


#: Looks at images side by side. What is wrong with an image is in its result, and never an error.
Look = Callable[[Sequence[BuiltImage]], Awaitable[list[GateResult]]]


@dataclass(frozen=True)
class GateInputs:
    """What gates take beside the images.

    Args:
        build: the settings, the base that tools run on, and the tools.
        clock: gives the present moment, as in 2026-01-31T12:00:00Z.
        database: where Trivy's database comes from.
        vex: the directory of the exceptions from the scan.
    """

    build: Build
    clock: Callable[[], str]
    database: DatabaseOrder = field(default_factory=DatabaseOrder)
    vex: Path = VEX


@dataclass(frozen=True)
class Gate:
    """Something that every image must pass before a release.

    Args:
        name: one word, as in the table.
        prepare: gets what the gate needs, so that a fault in a tool, a database or an exception is known before an
            image is built. Raises ToolError, HoldError or SettingsError.
        needs_tools: whether it runs what --tools brings; a pre-release may be published without.
        attests: the types of its predicates, which verification then requires.
    """

    name: str
    prepare: Callable[[GateInputs], Awaitable[Look]]
    needs_tools: bool
    attests: tuple[str, ...]
