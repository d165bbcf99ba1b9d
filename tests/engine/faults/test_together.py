"""Several builds on one store at once: each step once, and all succeed."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.faults.build import ARCHIVES, Order, require_whole
from tests.engine.faults.machine import left_over, states, write_base

STEPS = ("common", "left", "right", "import base.tar", "common: pack", "left: pack", "right: pack")


@pytest.mark.parametrize("number", [2, 8])
async def test_builds_at_once_make_each_step_once(place: Path, number: int) -> None:
    orders = []
    for part in ("base", "tmp"):
        (place / part).mkdir()
    first = Order(place / "store", write_base(place / "base"), place, "word", place / "events", place / "tmp")
    for name in map(str, range(number)):
        (place / name).mkdir()
        orders.append(replace(first, output=place / name, events=place / f"{name}.events"))
    processes = [order.start() for order in orders]
    await asyncio.gather(*(asyncio.to_thread(process.join) for process in processes))
    assert [process.exitcode for process in processes] == [0] * number
    events = [event for order in orders for event in order.reported()]
    assert {name: states(events, name).count("done") for name in STEPS} == dict.fromkeys(STEPS, 1)
    for name in ARCHIVES:
        contents = {(order.output / name).read_bytes() for order in orders}
        assert len(contents) == 1
        require_whole(orders[0].output / name)
    assert left_over(place / "store") == []
