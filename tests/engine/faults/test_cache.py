"""The store is bounded: what is old goes, and nothing that a build uses."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import dagger
import pytest
from embedded_engine.session import tend

from tests.engine.faults.machine import client, eventually, known, on_base, printed, script

MEGABYTE = 1_000_000
DAY = 86_400


def step(one: dagger.Client, base: Path, name: str, size: int = MEGABYTE) -> dagger.Container:
    return on_base(one, base).with_exec(script(f"head -c {size} /dev/urandom >/made-$0", name))


async def entries(store: Path) -> dict[str, dict[str, Any]]:
    answer = await tend([], store=store)
    return {entry["name"]: entry for entry in answer["entries"]}


def age(store: Path, name: str, seconds: float) -> None:
    """Pretend that something was used last so long ago."""
    for path in store.glob("snapshots/*/meta.json"):
        if json.loads(path.read_text())["name"] == name:
            os.utime(path, (time.time() - seconds, time.time() - seconds))


@pytest.fixture
async def three(store: Path, base: Path) -> Path:
    """A store with three steps on one base, the first used longest ago."""
    async with client(store) as one:
        for name in ("first", "second", "third"):
            await step(one, base, name).sync()
    for days, name in enumerate(("base.tar", "third", "second", "first")):
        age(store, name, days * DAY)
    return store


async def test_it_tells_what_is_there(three: Path) -> None:
    answer = await tend([], store=three)
    assert sorted((entry["kind"], entry["name"]) for entry in answer["entries"]) == [
        ("base", "base.tar"),
        ("host files", "base.tar"),
        ("step", "first"),
        ("step", "second"),
        ("step", "third"),
    ]
    found = await entries(three)
    assert MEGABYTE <= found["first"]["size"] < 1.1 * MEGABYTE
    assert abs(found["second"]["idle"] - 2 * DAY) < 100
    assert not any(entry["in_use"] for entry in answer["entries"])


async def test_its_size_is_that_on_the_disk(three: Path) -> None:
    on_disk = subprocess.run(["du", "-s", "--block-size=1", three], capture_output=True, text=True, check=True).stdout
    assert (await tend([], store=three))["size"] == pytest.approx(int(on_disk.split()[0]), abs=MEGABYTE // 4)


async def test_what_is_older_goes(three: Path) -> None:
    answer = await tend(["--prune", f"--older-than={int(1.5 * DAY)}"], store=three)
    assert answer["removed"]["count"] == 2
    assert "third" in await entries(three)
    assert not {"first", "second"} & (await entries(three)).keys()


async def test_the_least_recently_used_goes_first_and_no_more_than_needed(three: Path) -> None:
    size = (await tend([], store=three))["size"]
    answer = await tend(["--prune", f"--keep={size - MEGABYTE // 2}"], store=three)
    assert "first" not in await entries(three)
    assert {"second", "third"} <= (await entries(three)).keys()
    assert answer["removed"]["size"] == pytest.approx(MEGABYTE, rel=0.1)


async def test_without_limits_all_goes(three: Path) -> None:
    answer = await tend(["--prune"], store=three)
    assert (answer["size"], answer["entries"]) == (0, [])


async def test_what_a_step_was_made_on_stays_with_it(three: Path) -> None:
    age(three, "base.tar", 30 * DAY)
    await tend(["--prune", f"--older-than={int(1.5 * DAY)}"], store=three)
    assert {"base.tar", "third"} <= (await entries(three)).keys()


async def test_using_something_again_makes_it_recent(three: Path, base: Path) -> None:
    async with client(three) as one:
        await step(one, base, "first").sync()
    await tend(["--prune", f"--older-than={DAY // 2}"], store=three)
    assert "first" in await entries(three)
    assert "second" not in await entries(three)


async def test_layers_go_with_the_step_that_they_were_packed_from(three: Path, base: Path, tmp_path: Path) -> None:
    async with client(three) as one:
        await step(one, base, "first").export(str(tmp_path / "image.tar"))
    layers = {path.name for path in (three / "blobs/sha256").iterdir()}
    assert len(layers) == 2
    await tend(["--prune"], store=three)
    assert list((three / "blobs/sha256").iterdir()) == []


async def test_what_a_running_build_uses_stays_and_it_goes_on(three: Path, base: Path, tmp_path: Path) -> None:
    events: list[dict[str, Any]] = []
    async with client(three, events) as one:
        running = step(one, base, "first").with_exec(script("echo started; sleep 3; cat /made-first >/copy", "slow"))
        building = asyncio.ensure_future(running.export(str(tmp_path / "image.tar")))
        await printed(events, "started")
        answer = await tend(["--prune"], store=three)
        assert {entry["name"] for entry in answer["entries"] if entry["in_use"]} >= {"base.tar", "first"}
        assert {"second", "third"} & {entry["name"] for entry in answer["entries"]} == set()
        await building
    assert (tmp_path / "image.tar").stat().st_size > MEGABYTE


async def kill_prune(store: Path) -> None:
    """Prune everything, and kill that at the first thing that goes."""
    argv = [sys.executable, "-m", "embedded_engine.store.cache", f"--store={store}", "--prune"]
    before = len(known(store))
    process = await asyncio.create_subprocess_exec(*argv, stdout=subprocess.DEVNULL, start_new_session=True)
    await eventually(lambda: process.returncode is not None or len(known(store)) < before, "nothing was removed")
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


async def test_a_prune_that_is_killed_leaves_a_sound_store(three: Path, base: Path) -> None:
    await kill_prune(three)
    answer = await tend(["--verify"], store=three)
    assert answer["damaged"] == []
    async with client(three) as one:
        await step(one, base, "first").sync()


async def test_a_session_leaves_no_more_than_the_quota(three: Path, base: Path) -> None:
    size = (await tend([], store=three))["size"]
    async with client(three, quota=size) as one:
        await step(one, base, "new").sync()
    found = await tend([], store=three)
    assert found["size"] <= size
    assert {entry["name"] for entry in found["entries"]} >= {"new", "third", "base.tar"}
    assert "first" not in {entry["name"] for entry in found["entries"]}


async def test_a_cache_volume_is_told_by_where_it_is_mounted_and_goes_when_it_is_old(store: Path, base: Path) -> None:
    async with client(store) as one:
        volume = on_base(one, base).with_mounted_cache("/var/cache/apt", one.cache_volume("apt"))
        await volume.with_exec(script("head -c 500000 /dev/zero >/var/cache/apt/package", "fill")).sync()
    found = (await entries(store))["/var/cache/apt"]
    assert (found["kind"], found["size"] >= 500_000) == ("volume", True)
    await tend(["--prune"], store=store)
    assert list((store / "caches").iterdir()) == []
