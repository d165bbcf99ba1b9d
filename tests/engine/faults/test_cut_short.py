"""Much of a store is cut short at once, as after a power cut: one run makes all of it again."""

import asyncio
import os
import random
from pathlib import Path

import dagger
import pytest

from tests.engine.faults.machine import Event, client, notices, on_base, script

IMAGES = ("one", "two", "three", "four")


def chains(one: dagger.Client, base: Path) -> dict[str, dagger.Container]:
    """Images that share steps, mount what others made, and are the same whenever they are built."""
    start = on_base(one, base).with_env_variable("SOURCE_DATE_EPOCH", "0")
    common = start.with_exec(script("mkdir /d; echo common >/d/common", "common")).with_new_file("/file", "file")
    found = {}
    for name in IMAGES:
        other = start.with_exec(script("mkdir /other; echo $0 >/other/word", f"other {name}"))
        made = common.with_mounted_directory("/mnt", other.directory("/other"))
        made = made.with_exec(script("cat /d/common /mnt/word >/$0", name)).without_mount("/mnt")
        found[name] = made.with_directory("/copy", other.directory("/other")).with_new_file(f"/last-{name}", name)
    return found


async def build(store: Path, base: Path, output: Path) -> list[Event]:
    """Export all images side by side, and read a file and an output of each meanwhile."""
    events: list[Event] = []
    async with client(store, events) as one:
        jobs: list[object] = []
        for name, image in chains(one, base).items():
            jobs.append(image.export(str(output / f"{name}.tar")))
            # An image that is new takes the layers of the others, which nothing reads for an archive that is there.
            jobs.append(image.with_new_file("/output", str(output)).export(str(output / f"new-{name}.tar")))
            jobs.append(image.file(f"/{name}").contents())
            jobs.append(image.with_exec(script("cat /file", f"check {name}")).stdout())
        await asyncio.gather(*jobs)  # type: ignore[call-overload]
    return events


def cut(chance: random.Random, paths: list[Path], number: int) -> None:
    """Cut files short, half of them to nothing."""
    for path in chance.sample(sorted(paths), min(number, len(paths))):
        os.truncate(path, chance.choice([0, path.stat().st_size // 2]))


@pytest.mark.parametrize("seed", range(3))
async def test_one_run_makes_all_again_that_was_cut_short(store: Path, base: Path, tmp_path: Path, seed: int) -> None:
    for name in ("before", "after", "again"):
        (tmp_path / name).mkdir()
    await build(store, base, tmp_path / "before")
    chance = random.Random(seed)
    layers = [path for path in store.glob("snapshots/*/*/**/*") if path.is_file() and not path.is_symlink()]
    cut(chance, list(store.glob("snapshots/*/*.json")), 15)
    cut(chance, list(store.glob("blobs/sha256/*")), 3)
    cut(chance, [path for path in layers if path.stat().st_size], 6)
    events = await build(store, base, tmp_path / "after")
    assert any("damaged" in text for text in notices(events))
    for name in IMAGES:
        archive = f"{name}.tar"
        assert (tmp_path / "after" / archive).read_bytes() == (tmp_path / "before" / archive).read_bytes()
    assert notices(await build(store, base, tmp_path / "again")) == []
