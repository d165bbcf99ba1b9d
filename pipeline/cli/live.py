"""The live view of a run on a terminal."""

import time
from collections import Counter

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from pipeline.cli.progress import Step
from pipeline.escape import escaped, escaped_lines

#: The most lines shown of a running step.
SHOWN_LINES = 3
_SPINNER = "-\\|/"


class LiveView:
    """Finished steps above, running steps with their last lines below; cached steps are counted by image.

    Args:
        console: a rich console on standard error.
    """

    def __init__(self, console: Console) -> None:
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
        """Remove the live part and print what was cached."""
        self._active.clear()
        self._live.stop()
        for image in list(self._cached):
            self._flush(image)

    def step(self, step: Step) -> None:
        """Move a step between the live part and the finished steps above it."""
        if step.state in ("started", "running", "waiting"):
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
        # The terminal wraps it, so that a command in it can be copied.
        self._console.print(escaped_lines(text), style="bold yellow", markup=False, highlight=False, soft_wrap=True)

    def render(self) -> RenderableType:
        """Draw the live part, never higher than the terminal."""
        room = max(self._console.height - 4, 3)
        steps = list(self._active.values())
        running = [s for s in steps if s.state != "waiting"]
        rows: list[Text] = []
        each = max(min(SHOWN_LINES, room // max(len(running), 1) - 1), 0)
        for step in running[:room]:
            rows.append(self._running(step))
            rows.extend(_row("", "", f"| {text}", "dim") for text in list(step.output)[-each:] if each)
        if len(steps) > len(running):
            rows.append(_row("waiting", "dim", f"{len(steps) - len(running)} more", "dim"))
        return Group(*rows[:room])

    def _running(self, step: Step) -> Text:
        now = time.monotonic()
        frame = _SPINNER[int(now * len(_SPINNER)) % len(_SPINNER)]
        return _row(f"{frame} {now - step.since:.1f}s", "cyan", step.name)

    def _flush(self, image: str) -> None:
        count = self._cached.pop(image, 0)
        if count:
            steps = "" if count == 1 else f" ({count} steps)"
            self._print(_row("CACHED", "blue", f"{image}{steps}"))

    def _print(self, row: "Text") -> None:
        self._console.print(row, no_wrap=True, overflow="ellipsis", highlight=False)


def _row(mark: str, mark_style: str, text: str, style: str = "") -> Text:
    row = Text(no_wrap=True, overflow="ellipsis")
    return row.append(f"{mark:>9}  ", mark_style).append(escaped(text.expandtabs()), style)
