"""What the engine does, shown on standard error: one live view on a terminal, plain lines otherwise."""

import re
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

#: So many of a failed step's last lines are shown.
FAILURE_LINES = 20
#: So many of a running step's last lines are shown in the live view.
LIVE_LINES = 3
_SPINNER = "-\\|/"
#: Escape sequences and other control characters would garble the screen.
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True)
class Step:
    """One step of the engine.

    Attributes:
        id: the engine's name for it.
        name: "IMAGE: what", or without an image.
        state: started, waiting, cached, done or failed.
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
        """The image that the step belongs to; the step's own name where it belongs to none."""
        return self.name.partition(": ")[0]


class View(Protocol):
    """How steps are shown."""

    def open(self) -> None:
        """Start showing."""

    def close(self) -> None:
        """Leave the screen as it shall stay."""

    def step(self, step: Step) -> None:
        """Show a step's new state."""

    def line(self, step: Step, text: str) -> None:
        """Show a line of a step's output."""

    def notice(self, text: str) -> None:
        """Show a sentence that belongs to no step."""


class Progress:
    """The steps of one run, from the engine's events (pipeline/engine/README.md).

    Args:
        view: how to show them.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self.steps: dict[str, Step] = {}

    def __enter__(self) -> "Progress":
        self._view.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._view.close()

    def event(self, event: Mapping[str, Any]) -> None:
        """Take one event of the engine.

        Args:
            event: a "step", "log" or "notice"; others are ignored, so that an engine may learn new ones.
        """
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
    """One line an event: `12.3s  ska-build: install packages  done (8.1s)`.

    Args:
        stream: where the lines go.
        clock: seconds since some moment.
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
        took = f" ({step.seconds:.1f}s)" if step.state in ("done", "failed") else ""
        self._write(f"{self._elapsed()}  {step.name}  {step.state}{took}")

    def line(self, step: Step, text: str) -> None:
        """Write a line of output; siblings run side by side, so it says whose it is."""
        self._write(f"        | {step.image}: {text}")

    def notice(self, text: str) -> None:
        """Write a sentence."""
        for line in text.splitlines():
            self._write(f"{self._elapsed()}  {line}")

    def _elapsed(self) -> str:
        return f"{self._clock() - self._began:6.1f}s"

    def _write(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


class LiveView:
    """Finished steps above, running ones with their last lines below; cached ones counted by image.

    Args:
        console: a rich console on standard error.
    """

    def __init__(self, console: "Console") -> None:
        from rich.live import Live

        self._console = console
        self._active: dict[str, Step] = {}
        self._cached: Counter[str] = Counter()
        self._live = Live(
            console=console, get_renderable=self.render, refresh_per_second=8, transient=True,
            redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip

    def open(self) -> None:
        """Start the live part."""
        self._live.start()

    def close(self) -> None:
        """Remove the live part and say what was cached."""
        self._active.clear()
        self._live.stop()
        for image in list(self._cached):
            self._flush(image)

    def step(self, step: Step) -> None:
        """Move a step between the live part and the finished ones above it."""
        if step.state in ("started", "waiting"):
            self._active[step.id] = step
            return
        self._active.pop(step.id, None)
        if step.state == "cached":
            self._cached[step.image] += 1
            return
        self._flush(step.image)
        failed = step.state == "failed"
        mark, style = ("FAILED", "bold red") if failed else (f"{step.seconds:.1f}s", "green")
        self._print(_row(mark, style, step.name))
        for text in step.output if failed else ():
            self._print(_row("", "", f"| {text}"))

    def line(self, step: Step, text: str) -> None:
        """Do nothing: the live part reads a step's last lines from the step."""

    def notice(self, text: str) -> None:
        """Show a sentence among the finished steps, whole and in the colour of warnings."""
        self._console.print(text, style="bold yellow", markup=False, highlight=False)

    def render(self) -> "RenderableType":
        """Draw the live part, never higher than the terminal."""
        from rich.console import Group

        room = max(self._console.height - 4, 3)
        steps = list(self._active.values())
        running = [s for s in steps if s.state == "started"]
        rows: list[Text] = []
        each = max(min(LIVE_LINES, room // max(len(running), 1) - 1), 0)
        for step in running[:room]:
            rows.append(self._running(step))
            rows.extend(_row("", "", f"| {text}", "dim") for text in list(step.output)[-each:] if each)
        if len(steps) > len(running):
            rows.append(_row("waiting", "dim", f"{len(steps) - len(running)} more", "dim"))
        return Group(*rows[:room])

    def _running(self, step: Step) -> "Text":
        now = time.monotonic()
        frame = _SPINNER[int(now * len(_SPINNER)) % len(_SPINNER)]
        return _row(f"{frame} {now - step.since:.1f}s", "cyan", step.name)

    def _flush(self, image: str) -> None:
        count = self._cached.pop(image, 0)
        if count:
            steps = "" if count == 1 else f" ({count} steps)"
            self._print(_row("CACHED", "blue", f"{image}{steps}"))

    def _print(self, row: "Text") -> None:
        self._console.print(row, soft_wrap=False, highlight=False)


def _row(mark: str, mark_style: str, text: str, style: str = "") -> "Text":
    from rich.text import Text

    row = Text(no_wrap=True, overflow="ellipsis")
    return row.append(f"{mark:>9}  ", mark_style).append(text, style)
