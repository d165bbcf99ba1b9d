"""Progress, as JSON lines for whoever watches: started, running, cached, done, failed; and lines of output."""

import asyncio
import contextlib
import itertools
import json
import os
import shlex
import time
from collections.abc import Iterator

#: A step's name on the screen is cut to this many characters.
NAME_LENGTH = 72
#: Seconds after which a step that prints nothing is said to run still.
SILENCE = 60.0


def step_name(args: tuple[str, ...]) -> str:
    """Return how a command is called in progress: `$0` of a shell step, else the command itself."""
    if len(args) > 3 and args[0].endswith("sh") and args[1].startswith("-") and args[1].endswith("c"):
        return args[3]
    return shlex.join(args).replace("\n", " ")[:NAME_LENGTH]


class Step:
    """One step that is being watched."""

    def __init__(self, events: "Events", number: int, name: str) -> None:
        self._events, self._id, self._name, self._start = events, str(number), name, time.monotonic()
        self._spoke = self._start
        self.state = ""

    def tell(self, state: str) -> None:
        """Say what became of the step."""
        self.state = state
        seconds = round(time.monotonic() - self._start, 3)
        self._events.write(event="step", id=self._id, name=self._name, state=state, seconds=seconds)

    def log(self, stream: str, text: str) -> None:
        """Pass on one line of output."""
        self._spoke = time.monotonic()
        self._events.write(event="log", id=self._id, stream=stream, text=text)

    async def watch(self) -> None:
        """Say from time to time that the step runs, as long as it prints nothing."""
        while True:
            await asyncio.sleep(self._spoke + SILENCE - time.monotonic())
            if time.monotonic() >= self._spoke + SILENCE:
                self._spoke = time.monotonic()
                self.tell("running")


class Events:
    """Where progress goes.

    Args:
        descriptor: an open file descriptor, or None when nobody watches.
    """

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self._numbers = itertools.count(1)
        self._told: set[str] = set()

    def write(self, **event: object) -> None:
        """Write one event; a watcher that went away is ignored."""
        if self._descriptor is None:
            return
        line = json.dumps(event, ensure_ascii=False).encode(errors="replace") + b"\n"
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
        except OSError:
            self._descriptor = None

    def notice(self, text: str) -> None:
        """Tell something that belongs to no step."""
        self.write(event="notice", text=text)

    def once(self, text: str) -> None:
        """Tell something that belongs to no step, the first time only."""
        if text not in self._told:
            self._told.add(text)
            self.notice(text)

    def cached(self, name: str) -> None:
        """Tell of a step whose result was there."""
        Step(self, next(self._numbers), name).tell("cached")

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Tell of a step for the time of a block, and how it ended."""
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
