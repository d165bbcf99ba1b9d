"""The measurements as a table for people and as JSON for programs."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dev.bench.measure import STEP, Measured

MEGABYTE = 1_000_000
Results = Mapping[str, Sequence[Measured]]


@dataclass(frozen=True)
class Comparison:
    """A comparison of two results.

    Args:
        what: the name of a result.
        against: the name of the other result.
        aim: the ratio to stay below; None without an aim.
    """

    what: str
    against: str
    aim: float | None = None


def table(results: Results, comparisons: Sequence[Comparison], limit: int) -> str:
    """Return the measurements as a table, with the median of several runs.

    Args:
        results: the results in the order of the rows.
        comparisons: the comparisons; one without both results is left out.
        limit: the memory in bytes that the processes of this project should not exceed at any one moment.
    """
    return "\n\n".join((_times(results), _ratios(results, comparisons), _memory(results, limit)))


def kinds_table(kinds: Mapping[str, float]) -> str:
    """Return processor seconds by kind as a table, with their share of all."""
    total = sum(kinds.values())
    rows = [("PROCESSOR TIME BY KIND", "SECONDS", "%")]
    rows += [(kind, f"{seconds:.2f}", f"{100 * seconds / total:.0f}") for kind, seconds in kinds.items()]
    return _aligned([*rows, ("all of them", f"{total:.2f}", "100")])


def document(results: Results, comparisons: Sequence[Comparison], machine: Mapping[str, Any]) -> dict[str, Any]:
    """Return the measurements of every run, for JSON."""
    there = [one for one in comparisons if one.what in results and one.against in results]
    return {
        "machine": dict(machine),
        "results": {name: [asdict(one) for one in runs] for name, runs in results.items()},
        "ratios": [{**asdict(one), "ratio": ratio(results, one)} for one in there],
    }


def ratio(results: Results, comparison: Comparison) -> float:
    """Return the ratio of two results' times."""
    return seconds(results[comparison.what]) / seconds(results[comparison.against])


def seconds(runs: Sequence[Measured]) -> float:
    """Return the median time in seconds."""
    return statistics.median(run.seconds for run in runs)


def _times(results: Results) -> str:
    rows = [("TIME", "SECONDS", "COMPUTED", "RUNS")]
    for name, runs in results.items():
        computed = statistics.median(run.cpu for run in runs)
        rows.append((name, f"{seconds(runs):.2f}", f"{computed:.2f}", str(len(runs))))
    return _aligned(rows)


def _ratios(results: Results, comparisons: Sequence[Comparison]) -> str:
    rows = [("RATIO", "IS", "AIM", "")]
    for one in comparisons:
        if one.what in results and one.against in results:
            found = ratio(results, one)
            met = "" if one.aim is None else "met" if found <= one.aim else "missed"
            aim = "" if one.aim is None else f"<= {one.aim}"
            rows.append((f"{one.what} / {one.against}", f"{found:.2f}", aim, met))
    return _aligned(rows)


def _memory(results: Results, limit: int) -> str:
    rows = [("MEMORY: PEAK OF EACH PROGRAM'S LARGEST PROCESS, MB", "ALL AT ONE MOMENT", "")]
    for name, runs in results.items():
        peaks = {program: max(run.peaks.get(program, 0) for run in runs) for run in runs for program in run.peaks}
        shown = [f"{program} {size / MEGABYTE:.0f}" for program, size in sorted(peaks.items()) if program != STEP]
        if not shown:
            continue
        together = max(run.together for run in runs)
        is_ours = "client" in peaks or "engine" in peaks
        met = "" if not is_ours else f"below {limit // MEGABYTE}" if together < limit else f"ABOVE {limit // MEGABYTE}"
        rows.append((f"{name}: {', '.join(shown)}", f"{together / MEGABYTE:.0f}", met))
    return _aligned(rows)


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
