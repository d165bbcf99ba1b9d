"""The disk is full: that is said, nothing half written stays, and what no build uses makes room."""

import os
from collections.abc import Callable
from pathlib import Path

import dagger
import pytest

from tests.engine.faults.machine import Event, client, left_over, notices, on_base, script


def fill(where: Path, leave: int) -> None:
    """Take all of a file system's space but so many bytes."""
    free = os.statvfs(where)
    with (where / "filler").open("wb") as file:
        file.truncate(0)
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - leave)


async def fails(store: Path, build: Callable[[dagger.Client], object]) -> None:
    async with client(store) as one:
        with pytest.raises(dagger.QueryError, match="No space is left") as caught:
            await build(one)  # type: ignore[misc]
    assert caught.value.error.extensions["code"] == "DISK_FULL"
    assert left_over_files(store) == []


def left_over_files(store: Path) -> list[str]:
    return [line for line in left_over(store) if "tmpfs" not in line]


@pytest.mark.parametrize("leave", [100_000, 1_500_000, 3_000_000, 5_000_000])
async def test_while_a_base_is_taken_in(small_store: Callable[[int], Path], base: Path, leave: int) -> None:
    store = small_store(40)
    async with client(store):
        pass
    fill(store, leave)
    await fails(store, lambda one: on_base(one, base).sync())
    (store / "filler").unlink()
    async with client(store) as one:
        await on_base(one, base).sync()


async def test_while_a_step_writes(small_store: Callable[[int], Path], base: Path) -> None:
    store = small_store(40)
    big = script("head -c 100000000 /dev/zero >/big", "big")
    await fails(store, lambda one: on_base(one, base).with_exec(big).sync())
    async with client(store) as one:
        await on_base(one, base).with_exec(script("echo small >/small")).sync()


@pytest.mark.parametrize("leave", [0, 1_000_000, 4_500_000])
async def test_while_an_archive_is_made(
    small_store: Callable[[int], Path], base: Path, tmp_path: Path, leave: int
) -> None:
    store = small_store(60)
    step = script("head -c 4000000 /dev/urandom >/random", "random")
    async with client(store) as one:
        await on_base(one, base).with_exec(step).sync()
    fill(store, leave)
    await fails(store, lambda one: on_base(one, base).with_exec(step).export(str(tmp_path / "image.tar")))
    assert not (tmp_path / "image.tar").exists()
    (store / "filler").unlink()
    async with client(store) as one:
        await on_base(one, base).with_exec(step).export(str(tmp_path / "image.tar"))


async def test_what_no_build_uses_makes_room(small_store: Callable[[int], Path], base: Path) -> None:
    store = small_store(60)
    async with client(store) as one:
        await on_base(one, base).with_exec(script("head -c 30000000 /dev/urandom >/old", "old")).sync()
    events: list[Event] = []
    async with client(store, events) as one:
        await on_base(one, base).with_exec(script("head -c 30000000 /dev/urandom >/new", "new")).sync()
    assert any("that no build uses are removed from the store" in text for text in notices(events))
