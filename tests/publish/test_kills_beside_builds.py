"""Publishing, promoting and pruning are killed while builds run on the same machine: nothing is ever half there."""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from embedded_engine.session import tend

from pipeline.registry.access import Access
from pipeline.registry.address import parse_address
from pipeline.registry.registry import open_registry
from pipeline.release.push import Candidate, push_release
from tests.conftest import SCRATCH
from tests.engine.faults.build import Order
from tests.engine.faults.machine import eventually, known, left_over
from tests.engine.faults.test_kill import done, order
from tests.publish import publishing
from tests.publish.conftest import PATIENCE, Maker, Running
from tests.publish.proxy import Proxy
from tests.publish.test_kills import TAGS, hold

pytestmark = pytest.mark.slow

#: Says that it has started, and becomes another program.
START = "import os, sys; print('started', flush=True); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"


@dataclass
class Builds:
    """Builds on one store, one after the other.

    Args:
        order: of the first.
    """

    order: Order
    finished: int = 0
    stopped: bool = field(default=False)

    async def run(self) -> None:
        """Build until it is stopped; each has to end well."""
        while not self.stopped:
            await done(replace(self.order, word=f"{self.order.word} {self.finished}"))
            self.finished += 1

    async def one_more(self) -> None:
        """Wait until another one has ended."""
        before = self.finished
        await eventually(lambda: self.finished > before, "the builds do not go on")


@pytest.fixture
async def builds() -> AsyncIterator[Builds]:
    """Builds that run during the test, and have all ended well."""
    place = Path(tempfile.mkdtemp(prefix="ska-images-kills-", dir=SCRATCH))
    one = Builds(order(place, "beside"))
    running = asyncio.ensure_future(one.run())
    yield one
    one.stopped = True
    await running
    assert one.finished
    assert left_over(one.order.store) == []
    shutil.rmtree(place)


@pytest.fixture
def chance() -> random.Random:
    """Moments that are drawn anew in every run."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    return random.Random(seed)


async def kill_after(seconds: float, words: Sequence[str]) -> None:
    """Start a program, and kill it unless it ends before."""
    print(f"killed after {seconds:.3f} s: {' '.join(words)}")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    assert process.stdout
    await process.stdout.readline()
    await asyncio.sleep(seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


@pytest.fixture
def images(release: Maker, tmp_path: Path) -> list[Candidate]:
    """A release of small images, also for another process."""
    made = release(extra_tags=TAGS.extra)
    publishing.write(tmp_path / "release-1", made)
    return made


async def require_completed(address: str, images: list[Candidate]) -> None:
    """Check what a killed run left, complete it, and check that all is there."""
    async with open_registry(parse_address(address), Access(patience=PATIENCE)) as registry:
        await hold(registry, images)
        await push_release(registry, TAGS, images)
        assert await hold(registry, images) == len(TAGS.all) * len(images)


async def length_of(words: Sequence[str]) -> float:
    """Return how long a run of a program takes after its first line."""
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=subprocess.PIPE)
    assert process.stdout
    await process.stdout.readline()
    began = time.monotonic()
    assert await process.wait() == 0
    return time.monotonic() - began


async def test_publishing_that_is_killed_beside_builds_is_completed_by_the_next_run(
    server: Running,
    path: str,
    proxy: Proxy,
    images: list[Candidate],
    tmp_path: Path,
    builds: Builds,
    chance: random.Random,
    kills: int,
) -> None:
    proxy.delay = 0.003

    def words(place: str) -> list[str]:
        return ["-m", "tests.publish.publishing", f"{proxy.address}/{place}", str(tmp_path / "release-1"), *TAGS.all]

    length = await length_of(words(f"{path}/whole"))
    for kill in range(kills):
        await kill_after(chance.uniform(0, length), words(f"{path}/{kill}"))
        await require_completed(f"{server.host}/{path}/{kill}", images)


async def test_promoting_that_is_killed_beside_builds_is_completed_by_the_next_run(
    server: Running,
    path: str,
    proxy: Proxy,
    images: list[Candidate],
    builds: Builds,
    chance: random.Random,
    kills: int,
) -> None:
    proxy.delay = 0.003
    staged = f"{server.host}/{path}/staged"
    async with open_registry(parse_address(staged), Access(patience=PATIENCE)) as registry:
        await push_release(registry, TAGS, images)

    def words(place: str) -> list[str]:
        return ["-m", "tests.publish.promoting", TAGS.version, staged, f"{proxy.address}/{place}"]

    length = await length_of(words(f"{path}/whole"))
    for kill in range(kills):
        await kill_after(chance.uniform(0, length), words(f"{path}/{kill}"))
        await require_completed(f"{server.host}/{path}/{kill}", images)


async def test_pruning_that_is_killed_beside_builds_leaves_a_sound_store(
    builds: Builds, chance: random.Random, kills: int
) -> None:
    store = builds.order.store
    await builds.one_more()
    words = ["-m", "embedded_engine.store.cache", f"--store={store}", "--prune"]
    began = time.monotonic()
    await tend(["--prune"], store=store)
    length = time.monotonic() - began
    for _ in range(kills):
        await kill_after(chance.uniform(0, length), ["-c", START, *words])
        assert (await tend(["--verify"], store=store))["damaged"] == []
        await builds.one_more()  # so that there is something to prune
    assert known(store)
