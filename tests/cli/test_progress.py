import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from pipeline.progress import LiveView, PlainView, Progress, View, is_terminal


class Clock:
    """A clock that the test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def plain(stream: io.StringIO, clock: Clock) -> Iterator[Progress]:
    with Progress(PlainView(stream, clock)) as progress:
        yield progress


def step(progress: Progress, number: str, name: str, state: str, seconds: float = 0.0) -> None:
    progress.event({"event": "step", "id": number, "name": name, "state": state, "seconds": seconds})


def log(progress: Progress, number: str, text: str) -> None:
    progress.event({"event": "log", "id": number, "stream": "stdout", "text": text})


def test_plain_progress_is_one_line_an_event(plain: Progress, stream: io.StringIO, clock: Clock) -> None:
    step(plain, "1", "ska-base: upgrade", "cached")
    clock.now = 104.25
    step(plain, "2", "ska-build: install packages", "started")
    log(plain, "2", "Setting up gcc ...")
    clock.now = 112.34
    step(plain, "2", "ska-build: install packages", "done", 8.09)
    plain.event({"event": "notice", "text": "The store is full.\nIt was emptied."})
    assert stream.getvalue() == (
        "   0.0s  ska-base: upgrade  cached\n"
        "   4.2s  ska-build: install packages  started\n"
        "        | ska-build: Setting up gcc ...\n"
        "  12.3s  ska-build: install packages  done (8.1s)\n"
        "  12.3s  The store is full.\n"
        "  12.3s  It was emptied.\n"
    )


def test_escape_sequences_of_a_step_do_not_reach_the_screen(plain: Progress, stream: io.StringIO) -> None:
    step(plain, "1", "ska-base: x", "started")
    log(plain, "1", "\x1b[31mred\x1b[0m\x07 \x1b[2Kend\r\n")
    assert stream.getvalue().splitlines()[-1] == "        | ska-base: red end"


def test_of_a_line_that_overwrites_itself_the_last_state_is_shown(
    plain: Progress, stream: io.StringIO
) -> None:
    step(plain, "1", "ska-base: x", "started")
    log(plain, "1", "10%\r50%\r100%")
    assert stream.getvalue().splitlines()[-1] == "        | ska-base: 100%"


def test_an_event_of_an_unknown_kind_is_ignored(plain: Progress, stream: io.StringIO) -> None:
    plain.event({"event": "later", "text": "x"})
    assert stream.getvalue() == ""


def test_the_steps_of_a_run_are_kept_with_their_last_state(plain: Progress) -> None:
    step(plain, "1", "ska-base: upgrade", "started")
    step(plain, "1", "ska-base: upgrade", "done", 2.5)
    assert [(s.name, s.state, s.seconds) for s in plain.steps.values()] == [
        ("ska-base: upgrade", "done", 2.5)
    ]


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


def finished(view: View, stream: io.StringIO) -> str:
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


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("mode", "stream", "term", "chosen"),
    [
        ("auto", Terminal(), "xterm", True),
        ("auto", Terminal(), "dumb", False),
        ("auto", Terminal(), "", False),
        ("auto", io.StringIO(), "xterm", False),
        ("plain", Terminal(), "xterm", False),
        ("tty", io.StringIO(), "", True),
    ],
)
def test_the_live_view_is_for_terminals(mode: str, stream: io.StringIO, term: str, chosen: bool) -> None:
    assert is_terminal(mode, stream, term) is chosen
