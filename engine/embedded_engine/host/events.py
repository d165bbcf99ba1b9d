"""Progress as JSON lines for the client: started, running, cached, done, failed; and lines of output."""

import asyncio
import contextlib
import itertools
import json
import os
import shlex
import time
from collections.abc import Iterator

#: The most characters of a step's name on the screen.
NAME_LENGTH = 72
#: Seconds after which a silent step is reported as still running.
SILENCE = 60.0


def step_name(args: tuple[str, ...]) -> str:
    """Return a command's name in progress: `$0` of a shell step, otherwise the command itself."""
    if len(args) > 3 and args[0].endswith("sh") and args[1].startswith("-") and args[1].endswith("c"):
        return args[3]
    return shlex.join(args).replace("\n", " ")[:NAME_LENGTH]


class Step:
    """A step in progress."""

    def __init__(self, events: "Events", number: int, name: str) -> None:
        self._events, self._id, self._name, self._start = events, str(number), name, time.monotonic()
        self._spoke = self._start
        self.state = ""

    def tell(self, state: str) -> None:
        """Report the state of the step."""
        self.state = state
        seconds = round(time.monotonic() - self._start, 3)
        self._events.write(event="step", id=self._id, name=self._name, state=state, seconds=seconds)

    def log(self, stream: str, text: str) -> None:
        """Report one line of output."""
        self._spoke = time.monotonic()
        self._events.write(event="log", id=self._id, stream=stream, text=text)

    async def watch(self) -> None:
        """Report now and then that the step is still running, as long as it prints nothing."""
        while True:
            await asyncio.sleep(self._spoke + SILENCE - time.monotonic())
            if time.monotonic() >= self._spoke + SILENCE:
                self._spoke = time.monotonic()
                self.tell("running")


class Events:
    """Writes progress.

    Args:
        descriptor: an open file descriptor; None for no progress.
    """

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self._numbers = itertools.count(1)
        self._told: set[str] = set()

    def write(self, **event: object) -> None:
        """Write one event; a reader that has gone is ignored."""
        if self._descriptor is None:
            return
        line = json.dumps(event, ensure_ascii=False).encode(errors="replace") + b"\n"
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
        except OSError:
            self._descriptor = None

    def notice(self, text: str) -> None:
        """Report something that belongs to no step."""
        self.write(event="notice", text=text)

    def once(self, text: str) -> None:
        """Report something that belongs to no step, only the first time."""
        if text not in self._told:
            self._told.add(text)
            self.notice(text)

    def cached(self, name: str) -> None:
        """Report a step with a cached result."""
        Step(self, next(self._numbers), name).tell("cached")

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Report a step for the duration of a block, and its outcome."""
        step = Step(self, next(self._numbers), name)
        step.tell("started")
        watching = asyncio.ensure_future(step.watch())
        try:
            yield step
        except BaseException:
            step.tell("failed")
            raise
        else:
            step.tell("done")
        finally:
            watching.cancel()
