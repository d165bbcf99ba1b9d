"""Builds killed at random moments: nothing stays behind, and the next one goes on."""

import asyncio
import contextlib
import itertools
import os
import random
import signal
import time
from dataclasses import replace
from pathlib import Path

from tests.engine.faults.build import ARCHIVES, Order, require_whole
from tests.engine.faults.machine import control_groups, eventually, known, left_over, write_base

#: Builds are short: so many are killed even where --kills is less.
FEWEST = 8
#: Stores that are tried at a time, one for each core.
SIDE_BY_SIDE = 2
#: Every so many builds start from a base that is new.
NEW_BASE = 5


def order(place: Path, name: str) -> Order:
    directory = place / name
    for part in ("output", "tmp"):
        (directory / part).mkdir(parents=True)
    base = write_base(directory)
    return Order(directory / "store", base, directory / "output", name, directory / "events", directory / "tmp")


async def done(order: Order) -> None:
    """Build to the end, and check that all is there and nothing else."""
    process = order.start()
    await asyncio.to_thread(process.join)
    assert process.exitcode == 0, order.reported()
    assert sorted(path.name for path in order.output.iterdir()) == sorted(ARCHIVES)
    for name in ARCHIVES:
        require_whole(order.output / name)


def engines_of(client: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(word) for word in Path(f"/proc/{client}/task/{client}/children").read_text().split()]
    return []


def kill(leaders: list[int], number: int = signal.SIGKILL) -> list[int]:
    """Kill sessions' groups of processes, and return the leaders of those that there were."""
    found = []
    for leader in leaders:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader, number)
            found.append(leader)
    return found


async def kill_and_go_on(order: Order, after: float, what: str) -> bool:
    """Kill a build, unless it ends before, and do it again; return whether it was killed."""
    began = time.monotonic()
    victim = order.start()
    assert victim.pid
    await asyncio.sleep(max(0.0, began + after - time.monotonic()))
    sessions = [path.name for path in (order.store / "tmp").glob("*")]
    engines, running = engines_of(victim.pid), victim.is_alive()
    # Before there is an engine, only the client can be killed.
    kill([victim.pid] * (what != "engine" or not engines) + engines * (what != "client"))
    await asyncio.to_thread(victim.join)
    if what != "client":
        await eventually(lambda: not kill(engines, 0), "the killed engine still runs")
    finished = known(order.store)
    await done(order)
    await eventually(lambda: not kill(engines, 0), "the engine did not end after its client")
    now = known(order.store)
    assert {key: now.get(key) for key in finished} == finished, "what was finished was made again"
    assert left_over(order.store) == []
    assert control_groups(sessions) == []
    assert list(order.temporary.iterdir()) == []
    return running


async def test_after_kill_9_at_any_moment_the_next_run_goes_on_and_leaves_nothing(place: Path, kills: int) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    stores = [order(place, f"store-{number}") for number in range(SIDE_BY_SIDE)]
    began = time.monotonic()
    await asyncio.gather(*map(done, stores))
    length = time.monotonic() - began
    killed, wanted = 0, max(kills, FEWEST)

    async def some(one: Order) -> None:
        nonlocal killed, length
        for turn in itertools.count():
            if turn % NEW_BASE == 0:
                one = replace(one, base=write_base(one.output.parent, f"{one.word} {turn}"))
            if killed == wanted:
                return
            killed += 1  # and less again where the build had ended
            after, what = chance.uniform(0, length), chance.choice(["client", "engine", "both"])
            print(f"{killed}: {what} killed after {after:.3f} s of {length:.3f}")
            # The machine's pace varies, and a build that has ended was not killed.
            if await kill_and_go_on(replace(one, word=f"{one.word} {turn}"), after, what):
                length *= 1.02
            else:
                length *= 0.9
                killed -= 1

    await asyncio.gather(*map(some, stores))
    assert killed == wanted
