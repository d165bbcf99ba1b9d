"""`make bench`: measures everything in one run on this machine and prints tables."""

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from embedded_engine.host.settings import GUEST, read_host

from dev.bench import dockerfiles, floor, others, ours
from dev.bench.accounting import Accounting
from dev.bench.measure import BenchError, Measured
from dev.bench.table import MEGABYTE, Comparison, document, kinds_table, table
from pipeline.build.settings import Settings

COLD = "build-all from an empty store"
UNCHECKED = "the same without checks"
AGAIN = "build-all, nothing changed"
IMPORT = "python -c 'import dagger'"
EIGHT = "eight images from an empty store"
FOUR = "four images and their stand-in from an empty store"
TWELVE = "twelve images and three stand-ins from an empty store"
CHANGED = "build-all, one package more in ska-python"
STAND_IN = "the stand-in base, bootstrapped"
#: Layers larger than any buffer, and catalogues larger than any real one: memory stays, and time grows with the work.
LAYER, LARGE = "an image with a layer of 1 GB", "an image with a layer of 10 GB"
MANY, MORE = "10 small images beside four that are there", "100 small images beside four that are there"
COMPARISONS = (
    Comparison(UNCHECKED, floor.ROW, 1.25),
    Comparison(COLD, floor.ROW, 1.5),
    *(Comparison(row, floor.ROW) for row in others.PACKAGES),
    Comparison(COLD, others.DOCKER_ROW, 0.75),
    Comparison(COLD, others.SIDE_BY_SIDE_ROW, 0.75),
    Comparison(COLD, others.BUILDAH_ROW, 0.75),
    Comparison(AGAIN, IMPORT, 1.3),
    Comparison(CHANGED, COLD),
    Comparison(EIGHT, COLD, 2.0),
    Comparison(TWELVE, FOUR, 2.2),
    Comparison(LARGE, LAYER, 10.0),
    Comparison(MORE, MANY, 10.0),
)
#: The processes of this project together should never need more, whatever the size of an image.
LIMIT = 200 * MEGABYTE

ABOUT = """\
All builds start from one archive of a base, with empty stores and without kept downloads. The other builders run the
same commands as plain Dockerfiles and check nothing; build-all runs its checks in containers. The floor has all
packages at hand, packs nothing and checks nothing. docker saves archives without compression; buildah and this project
compress layers with gzip. COMPUTED is processor time of all processes."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print the tables."""
    given = _arguments(argv)
    if os.geteuid() != 0:
        print("bench: the builders mount file systems, which needs root: run `make bench`.", file=sys.stderr)
        return 2
    results: dict[str, list[Measured]] = {}
    failure: BenchError | None = None
    with tempfile.TemporaryDirectory(prefix="ska-bench-", dir=given.directory) as directory:
        accounting = Accounting(Path(directory) / "accounts")
        try:
            _measure(Path(directory), given, accounting, results)
        except BenchError as error:
            failure = error
        accounts = accounting.by_kind() if COLD in results else {}
    if results:
        _report(given, results, accounting.refusal, {kind: total / given.runs for kind, total in accounts.items()})
    if failure:
        print(f"bench: not all was measured: {failure}", file=sys.stderr)
        return 1
    return 0


def _report(
    given: argparse.Namespace, results: Mapping[str, list[Measured]], refusal: str, kinds: Mapping[str, float]
) -> None:
    print(f"\n{_title()}\n{ABOUT}\n\n{table(results, COMPARISONS, LIMIT)}")
    print(f"\n{COLD}, by the kernel's accounts, in which a process below 0.01 s counts as nothing:")
    print(refusal or kinds_table(kinds))
    for package in others.missing():
        print(f"\nWith {package} installed (apt-get install {package}), its builds would be compared too.")
    if given.json:
        figures = {**document(results, COMPARISONS, _machine()), "kinds": kinds}
        given.json.write_text(json.dumps(figures, indent=2) + "\n")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=", description=__doc__)
    parser.add_argument("--runs", type=_positive, default=1, help="runs of each build from an empty store (1)")
    parser.add_argument("--quick-runs", type=_positive, default=5, help="runs of what takes seconds (5)")
    parser.add_argument("--base-archive", type=Path, help="archive of the base (a stand-in is made by default)")
    parser.add_argument("--directory", type=Path, default=Path("/var/tmp"), help="on a disk (/var/tmp)")  # noqa: S108
    parser.add_argument("--json", type=Path, help="write all figures there, too")
    parser.add_argument("--alone", action="store_true", help="leave other builders out")
    return parser.parse_args(argv)


def _positive(word: str) -> int:
    if (number := int(word)) < 1:
        raise ValueError(word)
    return number


def _measure(
    directory: Path, given: argparse.Namespace, accounting: Accounting, results: dict[str, list[Measured]]
) -> None:
    """Measure all rows, and add each to the results at once, so that a row that fails loses none."""

    def measure(name: str, one: Callable[[], Measured], runs: int = 1) -> None:
        for number in range(1, runs + 1):
            measured = one()
            results.setdefault(name, []).append(measured)
            print(f"bench: {name} ({number} of {runs}): {measured.seconds:.2f} s", file=sys.stderr, flush=True)

    base = given.base_archive and given.base_archive.absolute()
    if base is None:
        base = directory / "base.tar"
        measure(STAND_IN, lambda: ours.stand_in(directory / "stand-in", base))
    project = ours.Project(directory, base)
    with accounting:
        measure(COLD, project.cold, given.runs)
    measure(UNCHECKED, project.unchecked, given.runs)
    context, host = directory / "context", _host(directory)
    dockerfiles.write(dockerfiles.context(Settings(), f"archive:{base.name}", host), context)
    lowest = partial(floor.floor, host=host)
    measure(floor.ROW, partial(others.measured, lowest, directory / "floor", context, base), given.runs)
    if not given.alone:
        for name, start in others.installed().items():
            measure(name, partial(others.measured, start, directory / "other", context, base), given.runs)
    measure(EIGHT, project.eight, given.runs)
    measure(FOUR, partial(project.cold, "stand-ins", stand_in=True))
    measure(TWELVE, project.lines)
    measure(CHANGED, project.changed)
    project.again()  # the earlier archives exist again
    measure(AGAIN, project.again, given.quick_runs)
    measure(IMPORT, ours.importing, given.quick_runs)
    measure("python -O -c 'import dagger'", lambda: ours.importing("-O"), given.quick_runs)
    measure(LAYER, partial(project.large, 1000 * MEGABYTE))
    measure(LARGE, partial(project.large, 10_000 * MEGABYTE))
    measure(MANY, partial(project.many, 10))
    measure(MORE, partial(project.many, 100))


def _host(directory: Path) -> dockerfiles.Host:
    host = asyncio.run(read_host())
    written = directory / "host"
    host.write(written)
    files = {f"{GUEST}/{path.name}": path.read_text() for path in written.iterdir()}
    return dockerfiles.Host(host.env(), files)


def _machine() -> dict[str, object]:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory": memory,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "builders": others.versions(),
        "when": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _title() -> str:
    machine = _machine()
    return (
        f"ska-images on {machine['cores']} cores, {int(str(machine['memory'])) // MEGABYTE} MB, "
        f"Linux {machine['kernel']}, Python {machine['python']}, {machine['when']}; "
        f"beside it: {', '.join(others.versions()) or 'no other builder'}."
    )


if __name__ == "__main__":
    sys.exit(main())
