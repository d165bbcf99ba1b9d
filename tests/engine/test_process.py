"""Host programs, such as mmdebstrap, end with all that they started."""

import asyncio
from pathlib import Path

import pytest
from embedded_engine.host.errors import CommandFailed
from embedded_engine.host.process import run

from tests.engine.faults.machine import eventually

#: Starts a child that holds the output open, and writes its number down.
SCRIPT = "sleep 1000 & echo $! >child; wait"


async def _child(directory: Path) -> Path:
    """Return the directory in /proc of the child."""
    written = directory / "child"
    await eventually(lambda: written.exists() and written.read_text().endswith("\n"), "no child was started")
    return Path("/proc", written.read_text().strip())


@pytest.mark.slow
async def test_a_program_that_is_given_up_takes_its_children_with_it(tmp_path: Path) -> None:
    running = asyncio.ensure_future(run(["sh", "-c", SCRIPT], cwd=tmp_path))
    child = await _child(tmp_path)
    running.cancel()
    await asyncio.wait([running], timeout=60)
    assert running.cancelled()
    await eventually(lambda: not child.exists(), "the child lives on")


async def test_a_program_that_runs_out_of_time_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"no answer within 0\.5 s"):
        await asyncio.wait_for(run(["sh", "-c", SCRIPT], cwd=tmp_path, timeout=0.5), 60)
