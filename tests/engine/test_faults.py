"""The engine killed, interrupted, short of disk and run twice: nothing stays behind, and the next run goes on."""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import dagger
import pytest
from dagger.client._session import ConnectParams, SingleConnection
from embedded_engine.host.errors import HostMissing, StoreUnusable
from embedded_engine.host.namespace import id_maps
from embedded_engine.session import open_session

from tests.conftest import SCRATCH

SLEEP = ["sh", "-c", "echo started; sleep 1000", "test: sleep"]


@contextlib.asynccontextmanager
async def client(store: Path, events: list[dict[str, object]] | None = None) -> AsyncIterator[dagger.Client]:
    """A session of its own, beside the one that other tests share."""
    on_event = None if events is None else events.append
    async with open_session(store=store, on_event=on_event) as session:
        params = ConnectParams(port=session.port, session_token=session.token)
        async with SingleConnection(params) as connection:
            yield dagger.Client.from_connection(connection)


@pytest.fixture
def small_store(tmp_path: Path) -> Iterator[Path]:
    """A store on a file system of 4 MB."""
    where = tmp_path / "small"
    where.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(where)], check=True)
    yield where
    subprocess.run(["umount", "--lazy", str(where)], check=True)


@pytest.fixture
def own() -> Iterator[Path]:
    """A store that no other engine uses."""
    with tempfile.TemporaryDirectory(prefix="ska-images-tests-", dir=SCRATCH) as directory:
        yield Path(directory)


async def _started(events: list[dict[str, object]]) -> None:
    for _ in range(2400):
        if any(event.get("text") == "started" for event in events):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"the step did not start: {events}")


def _processes(word: str) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if word in (entry / "cmdline").read_bytes().decode(errors="replace").split("\0"):
                found.append(int(entry.name))
    return found


async def _gone(word: str) -> None:
    # The kernel takes a killed namespace's processes down in its own time.
    for _ in range(200):
        if not _processes(word):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"these still run: {_processes(word)}")


def _sessions(store: Path) -> set[str]:
    return {path.name for path in (store / "tmp").iterdir()}


def _left_over(store: Path, sessions: set[str]) -> list[str]:
    mounts = [line for line in Path("/proc/self/mounts").read_text().splitlines() if str(store) in line]
    groups = [str(path) for name in sessions for path in Path("/sys/fs/cgroup").glob(f"*/embedded-engine-{name}-*")]
    return [*mounts, *groups, *(_sessions(store) & sessions)]


async def test_killed_it_leaves_nothing_that_runs_and_the_next_run_goes_on(own: Path, engine: object) -> None:
    events: list[dict[str, object]] = []
    word = f"marker-{secrets.token_hex(4)}"
    with contextlib.suppress(dagger.DaggerError, asyncio.CancelledError):
        async with client(own, events) as one:
            root = one.container().from_("bootstrap:auto").with_exec(["touch", f"/{word}"])
            step = asyncio.ensure_future(root.with_exec([*SLEEP, word]).sync())
            await _started(events)
            killed = _sessions(own)
            for process in _processes(f"--store={own}"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            step.cancel()
            raise asyncio.CancelledError
    await _gone(word)
    async with client(own, events := []) as other:
        await other.container().from_("bootstrap:auto").with_exec(["touch", f"/{word}"]).sync()
    assert [event["state"] for event in events if event.get("name") == f"touch /{word}"] == ["cached"]
    assert killed
    assert _left_over(own, killed) == []


async def test_a_client_that_goes_away_takes_its_containers_and_mounts_with_it(store: Path, engine: object) -> None:
    events: list[dict[str, object]] = []
    word = f"marker-{secrets.token_hex(4)}"
    async with client(store, events) as one:
        step = asyncio.ensure_future(one.container().from_("bootstrap:auto").with_exec([*SLEEP, word]).sync())
        await _started(events)
        step.cancel()
    await _gone(word)
    assert not [line for line in Path("/proc/self/mounts").read_text().splitlines() if str(store) in line]


async def test_two_engines_on_one_store_run_a_step_once(store: Path, engine: object) -> None:
    step = ["sh", "-c", "sleep 0.5; date +%N", "test: once", secrets.token_hex(4)]
    async with client(store) as one, client(store) as two:
        outputs = await asyncio.gather(
            *(each.container().from_("bootstrap:auto").with_exec(step).stdout() for each in (one, two))
        )
    assert outputs[0] == outputs[1]


async def test_a_full_disk_is_said_and_leaves_nothing_half_written(small_store: Path, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(os.urandom(8 << 20))
    async with client(small_store) as one:
        with pytest.raises(dagger.QueryError, match="No space is left") as caught:
            await one.host().file(str(tmp_path / "big")).size()
    assert caught.value.error.extensions["code"] == "DISK_FULL"
    assert list((small_store / "snapshots").iterdir()) == []
    assert list((small_store / "tmp").iterdir()) == []


async def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ids").write_text(id_maps())
    (tmp_path / "version").write_text("99\n")
    with pytest.raises(StoreUnusable, match=r"has layout 99, and this version of the embedded engine knows layout 2"):
        async with client(tmp_path):
            pass


async def test_a_missing_host_program_is_named_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("unshare", "nsenter", "mount", "runc", "mmdebstrap", "apt-get", "apt-config"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostMissing, match=r"lacks skopeo; install: apt-get install skopeo"):
        async with client(tmp_path / "store"):
            pass
