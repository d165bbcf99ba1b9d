"""A release that is killed at any moment leaves no tag on half of it, and the next run completes it."""

import asyncio
import random
import sys
from pathlib import Path

import pytest

from pipeline.registry.access import Access
from pipeline.registry.address import parse_address
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.push import Candidate, push_release
from pipeline.release.tags import Tags
from tests.publish import publishing
from tests.publish.conftest import PATIENCE, Maker, Running, digests, of
from tests.publish.proxy import Proxy

#: Kills even where --kills is less, so that some come before the first tag, and some between two tags.
FEWEST = 6
TAGS = Tags("1.0.0", ("latest",))


@pytest.fixture
def directory(release: Maker, tmp_path: Path) -> Path:
    """A release of small images, for another process."""
    images = release()
    publishing.write(tmp_path / "release-1", images)
    return tmp_path / "release-1"


async def start(address: str, directory: Path) -> asyncio.subprocess.Process:
    """Start a process that pushes the release, and wait until it does."""
    words = ("-m", "tests.publish.publishing", address, str(directory), *TAGS.all)
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=asyncio.subprocess.PIPE)
    assert process.stdout and await process.stdout.readline() == b"pushing\n"
    return process


async def is_complete(registry: Registry, image: Candidate) -> bool:
    """Tell whether an image is in the registry with all of its blobs."""
    repository = registry.repository(image.name)
    manifest = await repository.manifest(image.digest)
    return manifest is not None and all([await repository.has(blob) for blob in manifest.blobs])


async def hold(registry: Registry, images: list[Candidate]) -> int:
    """Check what must hold at every moment, and return how many tags there are."""
    tagged = {tag: await digests(registry, tag) for tag in TAGS.all}
    for tag, found in tagged.items():
        assert found.items() <= of(images).items(), f"{tag} names something else"
    if any(tagged.values()):
        assert all([await is_complete(registry, image) for image in images]), "a tag came too early"
    for image in images:
        assert image.name not in tagged["1.0.0"] or image.parent in (None, *tagged["1.0.0"]), "a child came first"
    if tagged["latest"]:
        assert tagged["1.0.0"] == of(images), "a tag that moves came too early"
    return sum(map(len, tagged.values()))


async def test_a_release_that_is_killed_at_any_moment_is_never_half_tagged_and_the_next_run_completes_it(
    server: Running, path: str, proxy: Proxy, directory: Path, kills: int
) -> None:
    images = publishing.read(directory)
    proxy.delay = 0.003
    assert await (await start(f"{proxy.address}/{path}/whole", directory)).wait() == 0
    whole = list(proxy.seen)
    first_tag = next(
        at for at, seen in enumerate(whole) if seen.startswith("PUT") and seen.endswith("/manifests/1.0.0")
    )
    chance = random.Random(kills)
    left_behind = []
    for kill in range(max(kills, FEWEST)):
        place = f"{path}/{kill}"
        proxy.seen.clear()
        process = await start(f"{proxy.address}/{place}", directory)
        # Half of the kills come among the tags, which are the last and fewest of the requests.
        at = chance.randrange(first_tag + 1, len(whole)) if kill % 2 else chance.randrange(first_tag)
        while len(proxy.seen) < at and process.returncode is None:  # noqa: ASYNC110  the proxy has threads of its own
            await asyncio.sleep(0.001)
        if process.returncode is None:
            process.kill()
        await process.wait()
        async with open_registry(parse_address(f"{server.host}/{place}"), Access(patience=PATIENCE)) as registry:
            left_behind.append(await hold(registry, images))
            await push_release(registry, TAGS, images)
            assert await hold(registry, images) == len(TAGS.all) * len(images)
    # Otherwise the moments were badly chosen: some before the tags, some between them.
    assert min(left_behind) == 0
    assert any(0 < count < len(TAGS.all) * len(images) for count in left_behind), left_behind
