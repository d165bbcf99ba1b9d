"""The engine's steps on standard error: plain lines, or the live view of pipeline.cli.live."""

import re
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Protocol, TextIO

from pipeline.escape import escaped
from pipeline.release.verdict import VERDICT

#: The most lines shown of a failed step.
FAILURE_LINES = 20
#: Colours and cursor movements of programs would garble the screen; the views escape other unprintable characters.
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True)
class Step:
    """One step of the engine.

    Attributes:
        id: the engine's name for it.
        name: "IMAGE: what", or without an image.
        state: started, waiting, running, cached, done or failed.
        since: when it started, in seconds of time.monotonic().
        seconds: how long it ran.
        output: its last lines.
    """

    id: str
    name: str
    state: str
    since: float
    seconds: float = 0.0
    output: deque[str] = field(default_factory=lambda: deque(maxlen=FAILURE_LINES))

    @property
    def image(self) -> str:
        """The image that the step belongs to; the step's own name if it belongs to no image."""
        return self.name.partition(": ")[0]


class View(Protocol):
    """How steps are shown."""

    def open(self) -> None:
        """Start showing."""

    def close(self) -> None:
        """Stop, and leave the screen in its final state."""

    def step(self, step: Step) -> None:
        """Show a step's new state."""

    def line(self, step: Step, text: str) -> None:
        """Show a line of a step's output."""

    def notice(self, text: str) -> None:
        """Show a sentence that belongs to no step."""


class Progress:
    """The steps of one run, from the engine's events (embedded_engine/host/events.py).

    Args:
        view: how to show them.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self.steps: dict[str, Step] = {}
        self._stopped = False

    def __enter__(self) -> "Progress":
        self._view.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Show nothing more: the later events of an interrupted engine do not matter."""
        self._stopped = True
        self._view.close()

    def event(self, event: Mapping[str, Any]) -> None:
        """Take one event of the engine.

        Args:
            event: a "step", "log" or "notice"; others are ignored, for engines that send more.
        """
        if self._stopped or event.get("name") == VERDICT:
            return
        if event["event"] == "step":
            self._step(event)
        elif event["event"] == "log" and event["id"] in self.steps:
            step = self.steps[event["id"]]
            for text in str(event["text"]).rstrip("\r\n").split("\n"):
                clean = _CONTROL.sub("", text.rstrip("\r").rpartition("\r")[2])
                step.output.append(clean)
                self._view.line(step, clean)
        elif event["event"] == "notice":
            self._view.notice(str(event["text"]))

    def _step(self, event: Mapping[str, Any]) -> None:
        known = self.steps.get(event["id"], Step(event["id"], event["name"], "", time.monotonic()))
        step = replace(known, state=event["state"], seconds=float(event.get("seconds") or 0.0))
        self.steps[event["id"]] = step
        self._view.step(step)


def is_terminal(mode: str, stream: TextIO, term: str) -> bool:
    """Choose between the live view and plain lines.

    Args:
        mode: "auto", "plain" or "tty".
        stream: where progress goes.
        term: the TERM of the environment.
    """
    return mode == "tty" or (mode == "auto" and stream.isatty() and term not in ("", "dumb"))


class PlainView:
    """One line for each event: `12.3s  ska-build: install packages  done (8.1s)`.

    Args:
        stream: where the lines go.
        clock: seconds since any fixed time.
    """

    def __init__(self, stream: TextIO = sys.stderr, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._began = clock()

    def open(self) -> None:
        """Do nothing: lines need no preparation."""

    def close(self) -> None:
        """Do nothing: lines stay as they are."""

    def step(self, step: Step) -> None:
        """Write a step's new state."""
        took = f" ({step.seconds:.1f}s)" if step.state in ("running", "done", "failed") else ""
        self._write(f"{self._elapsed()}  {step.name}  {step.state}{took}")

    def line(self, step: Step, text: str) -> None:
        """Write a line of output with its image, because images are built side by side."""
        self._write(f"        | {step.image}: {text}")

    def notice(self, text: str) -> None:
        """Write a sentence."""
        for line in text.splitlines():
            self._write(f"{self._elapsed()}  {line}")

    def _elapsed(self) -> str:
        return f"{self._clock() - self._began:6.1f}s"

    def _write(self, line: str) -> None:
        print(escaped(line.expandtabs()), file=self._stream, flush=True)
