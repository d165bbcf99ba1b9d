"""The runtime and skopeo fail: that is told from a step that fails, and leaves nothing."""

import asyncio
import os
import shutil
import signal
from pathlib import Path

import dagger
import pytest

from tests.engine.faults.machine import client, on_base, printed, processes, script


@pytest.fixture
def broken(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory whose programs go before the machine's."""
    programs = place / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return programs


def write(program: Path, text: str) -> None:
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)


async def test_a_runtime_that_fails_is_no_step_that_fails(store: Path, base: Path, broken: Path) -> None:
    write(broken / "runc", "echo it is out of order >&2; exit 1")
    async with client(store) as one:
        with pytest.raises(dagger.QueryError, match="runc ended with 1 and started no step: it is out of order"):
            await on_base(one, base).with_exec(script("exit 0")).sync()


async def test_a_runtime_that_fails_once_is_used_again(store: Path, base: Path, broken: Path) -> None:
    real = shutil.which("runc")
    write(broken / "runc", f'if mkdir {broken}/once 2>/dev/null; then exit 1; fi; exec {real} "$@"')
    async with client(store) as one:
        step = on_base(one, base).with_exec(script("echo well"))
        with pytest.raises(dagger.QueryError, match="runc ended with 1"):
            await step.sync()
        assert await step.stdout() == "well\n"


async def test_a_runtime_that_is_killed_ends_its_step(store: Path, base: Path) -> None:
    events: list[dict[str, object]] = []
    async with client(store, events) as one:
        running = asyncio.ensure_future(on_base(one, base).with_exec(script("echo started; sleep 98711")).sync())
        await printed(events, "started")
        for number in processes(f"{store}/tmp"):
            if b"\0run\0" in Path(f"/proc/{number}/cmdline").read_bytes():
                os.kill(number, signal.SIGKILL)
        with pytest.raises(dagger.QueryError, match="runc was ended by signal 9 while the step ran"):
            await asyncio.wait_for(running, 60)
        assert processes("98711") == []


async def test_skopeo_that_fails_is_said(store: Path, base: Path, broken: Path) -> None:
    write(broken / "skopeo", "kill -9 $$")
    async with client(store) as one:
        with pytest.raises(dagger.QueryError, match="`skopeo` ended with -9"):
            await on_base(one, base).sync()
