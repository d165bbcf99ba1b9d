"""Holds images against gates: concurrently, with one table and one error for all gates."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import dagger

from pipeline.build.assembly import BuiltImage, open_images
from pipeline.concurrency import concurrently
from pipeline.errors import GateError
from pipeline.escape import escaped
from pipeline.gates.definition import Gate, GateInputs, GateResult, Look
from pipeline.text_files import text_files

#: How many subjects of problems an error names; its table has all.
_SHOWN = 3
FAIL = "FAIL"
_MARK_WIDTH = len("except")


async def hold(gates: Iterable[Gate], names: Iterable[str], inputs: GateInputs) -> list[GateResult]:
    """Build images and hold them against gates.

    Args:
        gates: the gates.
        names: the names of the images; empty for all.
        inputs: the gates' inputs, which include the settings of the build.

    Raises:
        UnknownImageError: there is no such image.
        ToolError, HoldError, SettingsError: a gate cannot be held.
        GateError: an image does not pass; the text has the table.
        dagger.ExecError: an image cannot be built.
    """
    images = open_images(names, inputs.build)
    results = await look_at(await prepare_all(gates, inputs), images)
    require_passed(results)
    return results


async def prepare_all(gates: Iterable[Gate], inputs: GateInputs) -> list[Look]:
    """Prepare gates.

    Raises:
        ToolError, HoldError, SettingsError: a gate cannot be held.
    """
    return await concurrently([partial(gate.prepare, inputs) for gate in gates])


async def look_at(looks: Iterable[Look], images: Sequence[BuiltImage]) -> list[GateResult]:
    """Examine images with all gates concurrently, and return the results image by image in the order of the gates.

    Raises:
        dagger.ExecError: an image cannot be built.
    """
    by_gate = await concurrently([partial(look, images) for look in looks])
    return [result for results in zip(*by_gate, strict=True) for result in results]


def require_passed(results: Sequence[GateResult]) -> None:
    """Refuse images with problems.

    Raises:
        GateError: an image has a problem; the text has the table.
    """
    if failed := [_failure(result) for result in results if result.problems]:
        raise GateError(
            f"{', '.join(failed)}, so nothing is delivered; correct what is marked {FAIL} and run again.\n"
            f"{table(results)}".rstrip()
        )


def table(results: Iterable[GateResult]) -> str:
    """Return the table of all findings: a block for each image and gate, problems first."""
    lines: list[str] = []
    for result in results:
        lines.append(f"{result.image}  {result.gate}")
        lines += _block(result)
    return "\n".join(lines) + "\n"


def files_of(results: Iterable[GateResult]) -> dagger.Directory:
    """Return a directory with the files of all results."""
    return text_files({path: contents for result in results for path, contents in result.files.items()})


def _failure(result: GateResult) -> str:
    subjects = list(dict.fromkeys(escaped(problem.subject) for problem in result.problems))
    more = f" and {len(subjects) - _SHOWN} more" if len(subjects) > _SHOWN else ""
    return f"{result.image} does not pass {result.gate} ({', '.join(subjects[:_SHOWN])}{more})"


def _block(result: GateResult) -> Iterator[str]:
    rows = [(FAIL, problem.subject, problem.sentence) for problem in result.problems]
    rows += [(row.mark, row.subject, row.sentence) for row in result.rows]
    width = max((len(escaped(subject)) for _, subject, _ in rows), default=0)
    for mark, subject, sentence in rows:
        first, *further = sentence.split("\n")
        yield f"  {mark:{_MARK_WIDTH}}  {escaped(subject):{width}}  {escaped(first)}".rstrip()
        yield from (f"{'':{width + _MARK_WIDTH + 6}}{escaped(line)}".rstrip() for line in further)
