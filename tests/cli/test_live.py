import io

import pytest
from rich.console import Console

from pipeline.cli.live import LiveView
from pipeline.cli.progress import Progress


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def step(progress: Progress, number: str, name: str, state: str, seconds: float = 0.0) -> None:
    progress.event({"event": "step", "id": number, "name": name, "state": state, "seconds": seconds})


def log(progress: Progress, number: str, text: str) -> None:
    progress.event({"event": "log", "id": number, "stream": "stdout", "text": text})


def live(stream: io.StringIO, *, width: int = 60, height: int = 20, color: bool = False) -> LiveView:
    environment = {} if color else {"NO_COLOR": "1"}
    return LiveView(
        Console(
            file=stream,
            force_terminal=True,
            width=width,
            height=height,
            _environ=environment,
            legacy_windows=False,
        )
    )


def screen(view: LiveView, *, width: int = 60) -> list[str]:
    """Return the live part as lines of text."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    with console.capture() as capture:
        console.print(view.render())
    return capture.get().splitlines()


def finished(view: LiveView, stream: io.StringIO) -> str:
    view.close()
    return stream.getvalue()


def test_the_live_part_shows_running_steps_with_their_last_lines(stream: io.StringIO) -> None:
    view = live(stream)
    progress = Progress(view)
    step(progress, "1", "ska-build: install packages", "started")
    for number in range(5):
        log(progress, "1", f"line {number}")
    step(progress, "2", "ska-python: check locale", "waiting")
    lines = screen(view)
    assert lines[0].endswith("s  ska-build: install packages")
    assert lines[1:] == [f"           | line {number}" for number in (2, 3, 4)] + ["  waiting  1 more"]


def test_a_long_name_is_cut_to_the_width_of_the_terminal(stream: io.StringIO) -> None:
    view = live(stream)
    step(Progress(view), "1", "ska-build: " + "x" * 200, "started")
    assert [len(line) <= 60 for line in screen(view)] == [True]


def test_the_line_of_a_finished_step_is_cut_too(stream: io.StringIO) -> None:
    view = live(stream)
    step(Progress(view), "1", "pull " + "x" * 200, "done", 1.0)
    assert finished(view, stream).count("\n") == 1


def test_the_live_part_is_never_higher_than_the_terminal(stream: io.StringIO) -> None:
    view = live(stream, height=10)
    progress = Progress(view)
    for number in range(50):
        step(progress, str(number), f"ska-build: step {number}", "started")
        log(progress, str(number), "line")
    assert len(screen(view)) < 10


def test_a_finished_step_leaves_the_live_part_and_stays_above(stream: io.StringIO) -> None:
    view = live(stream)
    progress = Progress(view)
    step(progress, "1", "ska-base: upgrade", "started")
    step(progress, "1", "ska-base: upgrade", "done", 8.1)
    assert screen(view) == []
    assert "     8.1s  ska-base: upgrade" in finished(view, stream)


def test_cached_steps_are_one_line_an_image(stream: io.StringIO) -> None:
    view = live(stream)
    progress = Progress(view)
    for number in range(50):
        step(progress, str(number), f"{('ska-base', 'ska-build')[number % 2]}: step {number}", "cached")
    text = finished(view, stream)
    assert text.count("CACHED") == 2
    assert "   CACHED  ska-base (25 steps)" in text


def test_a_failed_step_shows_the_end_of_its_output_once(stream: io.StringIO) -> None:
    view = live(stream)
    progress = Progress(view)
    step(progress, "1", "ska-base: upgrade", "started")
    for number in range(30):
        log(progress, "1", f"line {number};")
    step(progress, "1", "ska-base: upgrade", "failed", 1.0)
    text = finished(view, stream)
    assert text.count("FAILED") == 1
    assert [text.count(f"| line {number};") for number in (9, 10, 29)] == [0, 1, 1]


def test_a_steps_output_is_not_markup(stream: io.StringIO) -> None:
    view = live(stream)
    progress = Progress(view)
    step(progress, "1", "ska-base: [red]x[/red]", "started")
    log(progress, "1", "[bold]y[/nothing]")
    assert screen(view)[1] == "           | [bold]y[/nothing]"


def test_without_color_nothing_is_colored(stream: io.StringIO) -> None:
    view = live(stream)
    step(Progress(view), "1", "ska-base: upgrade", "done", 1.0)
    assert "\x1b[32m" not in finished(view, stream)


def test_on_a_terminal_the_states_are_colored(stream: io.StringIO) -> None:
    view = live(stream, color=True)
    step(Progress(view), "1", "ska-base: upgrade", "done", 1.0)
    assert "\x1b[32m" in finished(view, stream)
