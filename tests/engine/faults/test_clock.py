"""The clock of the engine and of its client is set forth and back: builds go on with what there is.

The machine's own clock stays as it is: libfaketime answers in its place. Files keep their real times, since the kernel
writes these.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from embedded_engine.session import tend

from tests.engine.faults.build import ARCHIVES, Order
from tests.engine.faults.machine import left_over, notices, states
from tests.engine.faults.test_kill import order

STEPS = ("common", "left", "right")


@pytest.fixture
def one(place: Path) -> Iterator[Order]:
    """A build."""
    made = order(place, "one")
    yield made
    assert left_over(made.store) == []


def build(one: Order, clock: str = "") -> dict[str, bytes]:
    """Build with another clock, and return the archives.

    Args:
        one: what to build.
        clock: how far the clock is off, as libfaketime takes it.
    """
    words = ["faketime", "-f", clock, *one.words] if clock else one.words
    env = {**os.environ, "NO_FAKE_STAT": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    subprocess.run(words, env=env, check=True)
    return {name: (one.output / name).read_bytes() for name in ARCHIVES}


@pytest.mark.parametrize("clock", ["+1d", "-1d", "+10y", "-10y"])
async def test_a_clock_that_is_set_changes_nothing_that_is_built(one: Order, clock: str) -> None:
    made = build(one)
    for now in (clock, "", clock):
        for name in ARCHIVES:
            (one.output / name).unlink()
        assert build(one, now) == made
    events = one.reported()
    assert notices(events) == []
    assert {name: states(events, name).count("done") for name in STEPS} == dict.fromkeys(STEPS, 1)
    assert (await tend(["--verify"], store=one.store))["damaged"] == []


@pytest.mark.parametrize("clock", ["-10y", "+10y"])
async def test_what_was_made_with_another_clock_is_used_pruned_and_made_again(one: Order, clock: str) -> None:
    made = build(one, clock)
    assert build(one) == made
    # What the last build used stays, whenever it was made.
    await tend(["--prune", "--older-than=3600"], store=one.store)
    assert build(one) == made
    assert {name: states(one.reported(), name).count("done") for name in STEPS} == dict.fromkeys(STEPS, 1)
    assert (await tend(["--prune"], store=one.store))["entries"] == []
    build(one)
