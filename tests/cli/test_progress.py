import io
from collections.abc import Iterator

import pytest

from pipeline.cli.progress import PlainView, Progress, is_terminal


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


def test_of_a_line_that_overwrites_itself_the_last_state_is_shown(plain: Progress, stream: io.StringIO) -> None:
    step(plain, "1", "ska-base: x", "started")
    log(plain, "1", "10%\r50%\r100%")
    assert stream.getvalue().splitlines()[-1] == "        | ska-base: 100%"


def test_an_event_of_an_unknown_kind_is_ignored(plain: Progress, stream: io.StringIO) -> None:
    plain.event({"event": "later", "text": "x"})
    assert stream.getvalue() == ""


def test_the_steps_of_a_run_are_kept_with_their_last_state(plain: Progress) -> None:
    step(plain, "1", "ska-base: upgrade", "started")
    step(plain, "1", "ska-base: upgrade", "done", 2.5)
    assert [(s.name, s.state, s.seconds) for s in plain.steps.values()] == [("ska-base: upgrade", "done", 2.5)]


def test_after_an_interruption_nothing_more_is_shown(plain: Progress, stream: io.StringIO) -> None:
    step(plain, "1", "ska-base: upgrade", "started")
    before = stream.getvalue()
    plain.stop()
    step(plain, "1", "ska-base: upgrade", "failed")
    assert stream.getvalue() == before


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
