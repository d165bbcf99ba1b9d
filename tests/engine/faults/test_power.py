"""The power goes while a build runs: what has a name is whole, and the next run goes on."""

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from embedded_engine.session import tend

from tests.engine.faults.build import ARCHIVES, Order, require_whole
from tests.engine.faults.disks import KINDS, Disk
from tests.engine.faults.machine import eventually, known
from tests.engine.faults.test_kill import done, engines_of, kill, order

#: Megabytes; the smallest that mkfs.xfs takes is 300.
SIZE = 400


@pytest.fixture(params=KINDS)
def disk(request: pytest.FixtureRequest, place: Path) -> Iterator[Disk]:
    """A file system of each kind."""
    made = Disk(request.param, place)
    made.make(SIZE)
    yield made
    made.unmount()


def on(disk: Disk, first: Order, turn: int) -> Order:
    """The same order with its store and its output on a disk; each turn is another build."""
    output = disk.at / f"output-{turn}"
    output.mkdir(exist_ok=True)
    return replace(first, store=disk.at / "store", output=output, word=f"{first.word} {turn}")


async def cut(disk: Disk, one: Order, after: float) -> bool:
    """Take the power from a build, and return whether it ran until then."""
    victim = one.start()
    assert victim.pid
    end = time.monotonic() + after
    while time.monotonic() < end:
        disk.write_journal()
        await asyncio.sleep(0.02)
    engines, running = engines_of(victim.pid), victim.is_alive()
    disk.cut_power()
    kill([victim.pid, *engines])
    await asyncio.to_thread(victim.join)
    await eventually(lambda: not kill(engines, 0), "the killed engine still runs")
    disk.start_again()
    return running


async def test_after_a_power_cut_every_name_stands_for_all_of_it(disk: Disk, place: Path, kills: int) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    first = order(place, "first")
    began = time.monotonic()
    await done(on(disk, first, 0))
    length = time.monotonic() - began
    cuts = 0
    while cuts < kills:
        one = on(disk, first, cuts + 1)
        after = chance.uniform(0, length)
        print(f"{cuts}: after {after:.3f} s of {length:.3f}")
        if not await cut(disk, one, after):
            length *= 0.9
            continue
        cuts += 1
        assert (await tend(["--verify"], store=one.store))["damaged"] == []
        for archive in ARCHIVES:
            with suppress(FileNotFoundError):
                require_whole(one.output / archive)
        one.output.mkdir(exist_ok=True)
        await done(one)


async def test_a_store_may_lie_on_each_kind(disk: Disk, place: Path) -> None:
    one = on(disk, order(place, "first"), 0)
    await done(one)
    made = known(one.store)
    await done(one)
    assert known(one.store) == made
    answer = await tend(["--verify", "--prune"], store=one.store)
    assert (answer["damaged"], answer["entries"]) == ([], [])
