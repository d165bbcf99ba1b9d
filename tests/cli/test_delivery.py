"""What is exported into a directory is there completely or not at all, and so is what was there before."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import dagger
import pytest

from pipeline.cli.delivery import export_directory, write_beside
from tests.cli.exporting import NAMES, REPORT, contents, directory, is_whole
from tests.conftest import SCRATCH
from tests.engine.faults.machine import client

pytestmark = pytest.mark.slow


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory on a disk."""
    with tempfile.TemporaryDirectory(prefix="ska-images-delivery-", dir=SCRATCH) as made:
        yield Path(made)


def read(output: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in output.iterdir()}


async def test_an_export_replaces_what_it_has_and_keeps_what_it_has_not(place: Path) -> None:
    output = place / "dist"
    async with client(place / "store") as one:
        await export_directory(directory(one, "first"), output, last=REPORT)
        (output / "mine").write_text("mine")
        unchanged = (output / NAMES[0]).stat().st_ino
        await export_directory(directory(one, "first"), output, last=REPORT)
        assert (output / NAMES[0]).stat().st_ino == unchanged
        await export_directory(directory(one, "second"), output, last=REPORT)
    assert read(output) == {**contents("second"), "mine": "mine"}


async def test_what_is_of_another_kind_is_replaced_too(place: Path) -> None:
    output = place / "dist"
    (output / "file/below").mkdir(parents=True)
    (output / "below").write_text("a file")
    (output / "kept").mkdir()
    (output / "kept/mine").write_text("mine")
    async with client(place / "store") as one:
        made = (
            one.directory().with_new_file("file", "f").with_new_file("below/file", "b").with_new_file("kept/new", "n")
        )
        await export_directory(made.with_symlink("file", "link"), output)
    assert (output / "file").read_text() == (output / "link").read_text() == "f"
    assert (output / "below/file").read_text() == "b"
    assert sorted(path.name for path in (output / "kept").iterdir()) == ["mine", "new"]


async def test_a_full_disk_leaves_the_earlier_files_together(place: Path) -> None:
    output = place / "dist"
    output.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=7m", "tmpfs", output], check=True)
    try:
        async with client(place / "store") as one:
            await export_directory(directory(one, "first"), output, last=REPORT)
            with pytest.raises(dagger.QueryError, match="No space is left in"):
                await export_directory(directory(one, "second"), output, last=REPORT)
        assert read(output) == contents("first")
    finally:
        subprocess.run(["umount", "--lazy", output], check=True)


async def exporting(store: Path, output: Path, *words: str) -> asyncio.subprocess.Process:
    argv = [sys.executable, "-m", "tests.cli.exporting", str(store), str(output), *words]
    return await asyncio.create_subprocess_exec(
        *argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )


async def go(process: asyncio.subprocess.Process) -> None:
    """Wait until a directory is made, and have it exported."""
    assert process.stdin and process.stdout
    assert await process.stdout.readline() == b"ready\n"
    process.stdin.write(b"\n")


async def test_an_export_that_is_killed_leaves_no_report_beside_other_files(place: Path, kills: int) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    store, output = place / "store", place / "dist"
    process = await exporting(store, output, "first", "second")
    await go(process)
    await go(process)
    began = time.monotonic()
    await process.wait()
    length = time.monotonic() - began
    for turn in range(kills):
        process = await exporting(store, output, str(turn % 2), "first", "second")
        await go(process)
        await go(process)
        await asyncio.sleep(chance.uniform(0, length))
        os.killpg(process.pid, chance.choice([signal.SIGKILL, signal.SIGINT]))
        # Python waits for the thread that reads a line before it ends.
        cast(asyncio.StreamWriter, process.stdin).close()
        await process.wait()
        assert is_whole(output), turn
    process = await exporting(store, output, "last")
    await go(process)
    await process.wait()
    assert read(output) == contents("last")


async def test_a_text_is_written_beside_and_leaves_nothing_when_the_disk_is_full(place: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], check=True)
    try:
        write_beside(place / "new/report", "short")
        with pytest.raises(OSError, match="No space left"):
            write_beside(place / "new/report", "long" * 50_000)
        assert read(place / "new") == {"report": "short"}
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)
