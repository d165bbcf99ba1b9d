"""The outcome of a run, and the table of build-all."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.cli.progress import Step
from pipeline.cli.streams import write
from pipeline.escape import escaped_lines

MEGABYTE = 1_000_000
GIGABYTE = 1_000 * MEGABYTE
_HEADER = ("IMAGE", "SIZE", "LAYERS", "CHECKS", "DIGEST", "TIME")
#: Columns of numbers, aligned to the right.
_RIGHT = frozenset({"SIZE", "LAYERS", "CHECKS", "TIME"})


@dataclass(frozen=True)
class Outcome:
    """The output of a run after its progress.

    Attributes:
        text: for standard output; empty for nothing.
        saved: where the result was exported to; None if it was not.
        code: the exit code.
    """

    text: str = ""
    saved: Path | None = None
    code: int = 0

    def show(self) -> None:
        """Print it."""
        if self.text:
            # A pipe or a file gets the result byte for byte.
            write(escaped_lines(self.text) if sys.stdout.isatty() else self.text)
        if self.saved is not None:
            print(f'Saved to "{self.saved}".', file=sys.stderr)


@dataclass(frozen=True)
class RunSummary:
    """The steps of a run.

    Attributes:
        steps: those of the engine; None if it does not report them.
        seconds: how long it took.
    """

    steps: tuple[Step, ...] | None
    seconds: float


def table(report: Mapping[str, Any], run: RunSummary, output: Path) -> str:
    """Return the table of the built images.

    Args:
        report: the build-report.json of build-all.
        run: for the times.
        output: where the archives are.
    """
    images = report["images"]
    rows = [_HEADER, *(_row(image, run.steps) for image in images)]
    return f"{aligned(rows)}\n\n{_closing(len(images), run, output)}"


def _row(image: Mapping[str, Any], steps: tuple[Step, ...] | None) -> tuple[str, ...]:
    return (
        image["name"],
        size(image["size"]),
        str(len(image["layers"])),
        str(len(image["checks"])),
        f"sha256:{image['digest'].removeprefix('sha256:')[:12]}",
        _time(image["name"], steps),
    )


def _time(image: str, steps: tuple[Step, ...] | None) -> str:
    if steps is None:
        return "-"
    own = [step for step in steps if step.name.startswith(f"{image}: ")]
    worked = [step.seconds for step in own if step.state == "done"]
    return f"{sum(worked):.1f} s" if worked else "cached"


def _closing(count: int, run: RunSummary, output: Path) -> str:
    noun = "image" if count == 1 else "images"
    verb = "is" if count == 1 else "are"
    if run.steps == ():
        return f"Nothing to do: {count} {noun} {verb} up to date ({run.seconds:.1f} s)."
    if run.steps is not None and not any(step.state == "done" for step in run.steps):
        return (
            f"Nothing to build: {count} {noun} {verb} up to date; archives written to {output}/ ({run.seconds:.1f} s)."
        )
    return f"{count} {noun} built and checked in {run.seconds:.0f} s; archives in {output}/"


def size(number: int) -> str:
    """Return a number of bytes with its unit."""
    gigabytes, megabytes = number / GIGABYTE, number / MEGABYTE
    return f"{gigabytes:.1f} GB" if gigabytes >= 1 else f"{megabytes:.1f} MB"


def aligned(rows: Sequence[tuple[str, ...]]) -> str:
    """Return rows as a table; the first row holds the titles."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if title in _RIGHT else cell.ljust(width)
            for cell, width, title in zip(row, widths, rows[0], strict=True)
        ).rstrip()
        for row in rows
    )
