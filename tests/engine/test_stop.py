"""The end of an engine, as its client sees it."""

import subprocess
import sys

import pytest

#: An engine that is gone, and left a process that holds its pipes for longer than a client waits.
PROGRAM = """
import asyncio
from embedded_engine.host.process import spawn
from embedded_engine.session import _drain, _stop

async def main():
    process = await spawn(["sh", "-c", "sleep 5 & exit"], stdin=asyncio.subprocess.PIPE)
    await _stop(process, [asyncio.ensure_future(_drain(process))])

asyncio.run(main())
"""


@pytest.mark.slow
def test_what_outlives_an_engine_makes_its_client_say_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
