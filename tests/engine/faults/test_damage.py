"""Files of the store that were changed or lost: found, said, and made again."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import dagger
import pytest
from embedded_engine.session import tend

from tests.engine.faults.build import require_whole
from tests.engine.faults.machine import Event, client, notices, on_base, script, states


def snapshot(store: Path, name: str, kind: str = "step") -> Path:
    """The directory of something that was made."""
    known = {path.parent: json.loads(path.read_text()) for path in store.glob("snapshots/*/meta.json")}
    (found,) = (path for path, one in known.items() if (one["kind"], one["name"]) == (kind, name))
    return found


def record(store: Path, name: str) -> Path:
    """The document of how a step was packed."""
    (found,) = snapshot(store, name).glob("packed.*")
    return found


def chain(one: dagger.Client, base: Path) -> dagger.Container:
    made = on_base(one, base).with_exec(script("echo lower >/lower; head -c 100000 /dev/urandom >/big", "lower"))
    return made.with_exec(script("cat /lower >/upper", "upper"))


@pytest.fixture
async def built(store: Path, base: Path, tmp_path: Path) -> Path:
    async with client(store) as one:
        await chain(one, base).export(str(tmp_path / "first.tar"))
    return store


def flip(path: Path, *, keep_time: bool = False) -> None:
    """Change one byte."""
    status = path.stat()
    with path.open("r+b") as file:
        file.seek(status.st_size // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    if keep_time:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


async def go_on(store: Path, base: Path, output: Path) -> list[Event]:
    """Build further on what there is, and pack it all."""
    events: list[Event] = []
    async with client(store, events) as one:
        await chain(one, base).with_exec(script("cat /lower /upper", "more")).export(str(output))
    require_whole(output)
    return events


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a file is lost": (lambda path: (path / "diff/big").unlink(), "lower"),
    "a file is cut": (lambda path: os.truncate(path / "diff/big", 10), "lower"),
    "a file is changed": (lambda path: flip(path / "diff/big"), "lower"),
    "the description is cut": (lambda path: os.truncate(path / "meta.json", 10), "lower"),
    "the description is another document": (lambda path: (path / "meta.json").write_text("[]"), "lower"),
    "the description is lost": (lambda path: (path / "meta.json").unlink(), "lower"),
    "its output is lost": (lambda path: (path / "stdout").unlink(), "lower"),
}


@pytest.mark.parametrize("what", DAMAGES)
async def test_a_damaged_step_is_made_again_with_all_that_was_made_on_it(
    built: Path, base: Path, tmp_path: Path, what: str
) -> None:
    damage, name = DAMAGES[what]
    damage(snapshot(built, name))
    events = await go_on(built, base, tmp_path / "second.tar")
    assert [text for text in notices(events) if "damaged" in text] == [
        f"What the store kept of '{name}' was damaged; it is made again."
    ]
    assert states(events, "upper")[-1] == "done"


async def test_a_layer_whose_bytes_were_changed_never_leaves_the_store(built: Path, base: Path, tmp_path: Path) -> None:
    digest = json.loads(record(built, "lower").read_text())["digest"]
    flip(built / "blobs/sha256" / digest.removeprefix("sha256:"), keep_time=True)
    events = await go_on(built, base, tmp_path / "second.tar")
    assert notices(events) == ["The packed layer of 'lower' was damaged in the store; it is packed again."]


@pytest.mark.parametrize("text", ['{"digest": ', "[]", '{"digest": "sha256:0"}'])
async def test_a_damaged_index_of_layers_is_written_again(built: Path, base: Path, tmp_path: Path, text: str) -> None:
    record(built, "lower").write_text(text)
    events = await go_on(built, base, tmp_path / "second.tar")
    assert notices(events) == ["The packed layer of 'lower' was damaged in the store; it is packed again."]


async def test_the_full_check_finds_what_a_run_would_not_and_removes_it(
    built: Path, base: Path, tmp_path: Path
) -> None:
    assert (await tend(["--verify"], store=built))["damaged"] == []
    flip(next(built.glob("snapshots/*/diff/image.tar")), keep_time=True)
    (snapshot(built, "upper") / "diff/upper").unlink()
    found = (await tend(["--verify"], store=built))["damaged"]
    assert sorted((damage["kind"], damage["what"], damage["removed"]) for damage in found) == [
        ("archive", "its content was changed", True),
        ("step", "files are missing or were changed", True),
    ]
    assert (await tend(["--verify"], store=built))["damaged"] == []
    events = await go_on(built, base, tmp_path / "second.tar")
    assert notices(events) == []


async def test_nothing_depends_on_the_order_of_times(built: Path, base: Path, tmp_path: Path) -> None:
    # As if the clock had been set back by a year since.
    later = (built / "clock").stat().st_mtime + 365 * 86_400
    for path in (*built.glob("snapshots/*/meta.json"), built / "clock", built / "version"):
        os.utime(path, (later, later))
    events = await go_on(built, base, tmp_path / "second.tar")
    assert notices(events) == []
    assert states(events, "lower") == ["cached"]
    answer = await tend(["--prune", "--older-than=3600"], store=built)
    assert answer["removed"]["count"] == 0
    assert max(entry["used"] for entry in answer["entries"]) < later - 86_400
    assert (await tend(["--prune"], store=built))["entries"] == []
