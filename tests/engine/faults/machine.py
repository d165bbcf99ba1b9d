"""What the fault tests see of the machine, and a base image of this machine's own programs."""

import asyncio
import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import dagger
from embedded_engine.oci.archive import write_archive
from embedded_engine.oci.documents import ImageConfig, image_documents
from embedded_engine.oci.layer import write_layer
from embedded_engine.session import open_session

from tests.clients import connected

PROGRAMS = ("sh", "cat", "date", "dd", "env", "head", "ls", "mkdir", "rm", "setsid", "sleep", "touch", "tr", "yes")
#: Seconds that the kernel gets to end what was killed.
PATIENCE = 20.0
Event = dict[str, Any]


def write_base(directory: Path, word: str = "") -> Path:
    """Write an OCI archive that steps can run on: a few programs of this machine with their libraries.

    Args:
        directory: where it goes.
        word: makes it another image.
    """
    tree = directory / "tree"
    for name in ("bin", "etc", "tmp"):
        (tree / name).mkdir(parents=True)
    (tree / "etc/word").write_text(word)
    for name in PROGRAMS:
        program = Path(str(shutil.which(name)))
        for source in (program, *_libraries(program)):
            target = tree / "bin" / name if source == program else tree / str(source).lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    layer = write_layer(tree, directory / "layer", epoch=0)
    config = ImageConfig(architecture="amd64", os="linux", env=("PATH=/bin",))
    documents = image_documents(config, [layer], created="2026-01-01T00:00:00Z", history=["base"], annotations={})
    write_archive(directory / "base.tar", [documents], {layer.digest: directory / "layer"})
    shutil.rmtree(tree)
    (directory / "layer").unlink()
    return directory / "base.tar"


def _libraries(program: Path) -> list[Path]:
    listing = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return [Path(word) for line in listing.splitlines() for word in line.split() if word.startswith("/")]


@contextlib.asynccontextmanager
async def client(store: Path, events: list[Event] | None = None, *, quota: int = 0) -> AsyncIterator[dagger.Client]:
    """An engine of its own, and a client of it, for the time of a block."""
    on_event = None if events is None else events.append
    async with open_session(store=store, quota=quota, on_event=on_event) as session, connected(session) as connection:
        yield connection


def on_base(one: dagger.Client, base: Path) -> dagger.Container:
    """A container of the base archive."""
    return one.container().import_(one.host().file(str(base)))


def script(text: str, name: str = "test", *words: str) -> list[str]:
    """A shell step, and its name in progress."""
    return ["sh", "-euc", text, name, *words]


def states(events: Sequence[Event], name: str) -> list[str]:
    """The events of a step."""
    return [event["state"] for event in events if event["event"] == "step" and event["name"] == name]


def notices(events: Sequence[Event]) -> list[str]:
    """The events of no step."""
    return [event["text"] for event in events if event["event"] == "notice"]


async def printed(events: Sequence[Event], text: str) -> None:
    """Wait until a step has printed a line."""
    await eventually(lambda: any(event.get("text") == text for event in events), f"no step printed {text!r}: {events}")


async def eventually(true: Callable[[], object], otherwise: str) -> None:
    """Wait until something holds."""
    end = time.monotonic() + 6 * PATIENCE
    while not true():
        assert time.monotonic() < end, otherwise
        await asyncio.sleep(0.05)


def processes(*words: str) -> list[int]:
    """The numbers of the processes with one of these words in their command lines."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (entry / "cmdline").read_bytes().decode(errors="replace")
            if any(word in line for word in words):
                found.append(int(entry.name))
    return found


def peaks_of_memory(*words: str) -> list[int]:
    """The bytes that the processes with one of these words in their command lines had at most in memory."""
    found = []
    for number in processes(*words):
        status = Path(f"/proc/{number}/status").read_text()
        found += [int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:")]
    return found


def left_over(store: Path) -> list[str]:
    """What there is of sessions on a store that have ended: processes, mounts, control groups, unfinished files."""
    mounts = [line for line in Path("/proc/self/mounts").read_text().splitlines() if str(store) in line]
    unfinished = [str(path) for name in ("tmp", "trash") for path in (store / name).iterdir()]
    running = [f"process {number}" for number in processes(str(store))]
    return [*running, *mounts, *unfinished]


def control_groups(sessions: Iterable[str]) -> list[Path]:
    """The control groups that are left of these sessions' containers."""
    return [path for name in sessions for path in Path("/sys/fs/cgroup").glob(f"*/embedded-engine-{name}-*")]


def known(store: Path) -> dict[str, str]:
    """The snapshots of a store with the ids of what was made."""
    files = (store / "snapshots").glob("*/meta.json")
    return {path.parent.name: json.loads(path.read_text())["id"] for path in files}
