"""Measures a block of work: seconds, processor seconds, and the memory of the processes that it starts."""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

#: Seconds between two samples. The kernel keeps each process's peak, so only its last moments are missed.
INTERVAL = 0.1
#: The programs to tell apart, by a word of their command line; all others run inside steps.
PROGRAMS = {
    "pipeline": "client",
    "dev.bench.unchecked": "client",
    "embedded_engine": "engine",
    "unshare": "engine",
    "skopeo": "skopeo",
    "runc": "runc",
    "mmdebstrap": "mmdebstrap",
    "dockerd": "dockerd",
    "containerd": "containerd",
    "docker": "docker",
    "buildah": "buildah",
}
STEP = "steps"


class BenchError(Exception):
    """A measurement failed; the text explains why."""


@dataclass(frozen=True)
class Measured:
    """The measurements of a block of work.

    Args:
        seconds: the time from start to end.
        cpu: the processor seconds of its processes.
        peaks: the peak memory (VmHWM) in bytes of the largest process of each program.
        together: the largest sum of memory (Pss) in bytes at one moment, without processes inside steps; what several
            processes share counts once.
    """

    seconds: float
    cpu: float
    peaks: Mapping[str, int] = field(default_factory=dict)
    together: int = 0


class Watch:
    """Looks again and again in a thread of its own, between `start` and `stop`.

    Args:
        look: what it does.
        interval: seconds between two looks.
    """

    def __init__(self, look: Callable[[], None], interval: float) -> None:
        self._look, self._interval = look, interval
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the look that is under way."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._interval):
            self._look()


class Measuring:
    """Measures a block: all descendants of this process.

    Args:
        daemon: a process that works for the block but is not a descendant.
    """

    def __init__(self, daemon: int | None = None) -> None:
        self._daemon = daemon
        self._watch = Watch(self._look, INTERVAL)
        self._peaks: dict[str, int] = {}
        self._together = 0
        self._seconds = self._cpu = 0.0

    def __enter__(self) -> "Measuring":
        self._seconds, self._cpu = time.monotonic(), self._computed()
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._seconds, self._cpu = time.monotonic() - self._seconds, self._computed() - self._cpu
        self._watch.stop()

    def result(self) -> Measured:
        """Return the measurements of the block, which has ended."""
        return Measured(self._seconds, self._cpu, self._peaks, self._together)

    def _computed(self) -> float:
        times = os.times()
        return times.children_user + times.children_system + (_computed_by(self._daemon) if self._daemon else 0.0)

    def _look(self) -> None:
        now = 0
        for process in descendants(os.getpid()):
            with contextlib.suppress(OSError, StopIteration, ValueError):
                program = program_of(process)
                self._peaks[program] = max(self._peaks.get(program, 0), _bytes(process, "status", "VmHWM"))
                now += _bytes(process, "smaps_rollup", "Pss") if program != STEP else 0
        self._together = max(self._together, now)


def run(argv: Sequence[object], *, cwd: Path, **variables: str) -> str:
    """Run a command and return its output.

    Args:
        argv: the command.
        cwd: the working directory.
        variables: variables to add to the environment.

    Raises:
        BenchError: the command failed; the text has the end of its output.
    """
    words = list(map(str, argv))
    done = subprocess.run(
        words,
        cwd=cwd,
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise BenchError(f"`{' '.join(words)[:200]}` failed with {done.returncode}:\n{done.stdout[-3000:].strip()}")
    return done.stdout


def descendants(process: int) -> Iterator[int]:
    """Yield the running descendants of a process."""
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                yield child
                yield from descendants(child)


def program_of(process: int) -> str:
    """Return the name that a process is counted under."""
    words = Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace").split("\0")
    program = Path(words[0]).name
    if program.startswith("python"):
        # The module follows -m, or what -c runs it with.
        program = next((word for word in words[1:] if word in PROGRAMS), STEP)
    return PROGRAMS.get(program, STEP)


def _bytes(process: int, file: str, key: str) -> int:
    rows = (line.split() for line in Path(f"/proc/{process}/{file}").read_text().splitlines())
    return next(int(row[1]) for row in rows if row and row[0] == f"{key}:") * 1024


def _computed_by(process: int) -> float:
    # proc(5): utime, stime, cutime and cstime follow the name, which may hold spaces.
    after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, after_name[11:15])) / os.sysconf("SC_CLK_TCK")
