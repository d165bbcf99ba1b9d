"""Lengths of time, as Go writes and reads them."""

import pytest
from embedded_engine.api.healthcheck import _nanoseconds, _written
from embedded_engine.host.errors import BadInput


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("0", "0s"),
        ("25s", "25s"),
        ("1m", "1m0s"),
        ("90s", "1m30s"),
        ("1.5s", "1.5s"),
        ("100ms", "100ms"),
        ("1us", "1µs"),
        ("7ns", "7ns"),
        ("1h", "1h0m0s"),
        ("25h1m1s", "25h1m1s"),
        (".5m", "30s"),
    ],
)
def test_a_time_is_read_and_written_as_go_does(given: str, written: str) -> None:
    assert _written(_nanoseconds(given)) == written


@pytest.mark.parametrize("given", ["", "1", "s", "1 s", "1s2", "soon", "-1s"])
def test_what_is_no_time_is_refused(given: str) -> None:
    with pytest.raises(BadInput, match="is no length of time"):
        _nanoseconds(given)
