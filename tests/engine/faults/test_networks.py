"""Whatever way a step or an engine ends, nothing of its network stays behind."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import dagger

from tests.engine.faults.machine import client, eventually, on_base, printed, processes, script


def _carriers(store: Path) -> list[int]:
    """The carriers of the engine on a store: they live in its process namespace."""
    engines = [_namespace(number) for number in processes(f"--store={store}")]
    return [number for number in processes("slirp4netns") if _namespace(number) in engines]


def _namespace(process: int) -> str:
    with contextlib.suppress(OSError):
        return str(Path(f"/proc/{process}/ns/pid").readlink())
    return str(process)


def _alive(process: int) -> bool:
    with contextlib.suppress(OSError):
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    return False


async def _running_step(one: dagger.Client, base: Path, events: list[dict[str, object]]) -> "asyncio.Task[object]":
    step = asyncio.ensure_future(on_base(one, base).with_exec(script("echo started; sleep 1000", "slow")).sync())
    await printed(events, "started")
    return step


async def test_the_carriers_of_a_killed_engine_end_with_it(store: Path, base: Path) -> None:
    events: list[dict[str, object]] = []
    async with client(store, events) as one:
        step = await _running_step(one, base, events)
        # Of the step, of the next one, and of what lies between them and the host.
        await eventually(lambda: len(_carriers(store)) >= 3, "a carrier is missing")
        carriers = _carriers(store)
        os.kill(max(processes(f"--store={store}")), signal.SIGKILL)
        await eventually(lambda: not any(map(_alive, carriers)), "a carrier is left")
        step.cancel()
        await asyncio.gather(step, return_exceptions=True)
    async with client(store) as one:  # which removes what the other was writing
        await one.version()


async def test_a_steps_carrier_ends_with_it(store: Path, base: Path) -> None:
    async with client(store) as one:
        for number in range(5):
            await on_base(one, base).with_exec(script("echo", f"step {number}")).sync()
        await eventually(lambda: len(_carriers(store)) == 2, "the carrier of a step is left")
    assert _carriers(store) == []


async def test_a_carrier_that_is_killed_takes_the_network_and_not_the_build(store: Path, base: Path) -> None:
    events: list[dict[str, object]] = []
    async with client(store, events) as one:
        step = asyncio.ensure_future(
            on_base(one, base).with_exec(script("echo started; sleep 3; echo ended", "slow")).stdout()
        )
        await printed(events, "started")
        for carrier in _carriers(store):
            os.kill(carrier, signal.SIGKILL)
        assert await step == "started\nended\n"
