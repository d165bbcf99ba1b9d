"""A registry for these tests, and releases of small images in it."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from pipeline.registry.access import Access, Patience
from pipeline.registry.address import parse_address
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.push import Candidate, published_digests
from tests.built_images import OF_ONE_LINE
from tests.publish.proxy import Proxy, proxied
from tests.publish.small_release import Recipe, make
from tests.registry import running

#: As little as a test needs.
PATIENCE = Patience(attempts=5, first_wait=0.01, longest_wait=1.5, connect=2, answer=1)
NOBODY = Access(patience=PATIENCE)
#: Makes a release of small images for the test's registry; what is given differs from the default.
Maker = Callable[..., list[Candidate]]


@dataclass(frozen=True)
class Running:
    """A registry that runs for all tests.

    Args:
        host: where it listens.
        blobs: the directory of its storage.
    """

    host: str
    blobs: Path

    def repositories(self, path: str) -> set[str]:
        """Return the repositories below a path that have got anything at all, read from its storage."""
        root = self.blobs / "docker/registry/v2/repositories" / path
        return {found.parent.name for found in root.glob("*/_*")}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A registry that asks for no login; each test has a path of its own in it."""
    directory = tmp_path_factory.mktemp("registry")
    with running(directory) as host:
        yield Running(host, directory / "blobs")


@pytest.fixture
def path(request: pytest.FixtureRequest) -> str:
    """The test's path in the registry."""
    return f"test-{abs(hash(request.node.nodeid)):x}"


@pytest_asyncio.fixture(loop_scope="session")
async def registry(server: Running, path: str) -> AsyncIterator[Registry]:
    """The test's place in the registry."""
    async with open_registry(parse_address(f"{server.host}/{path}"), NOBODY) as registry:
        yield registry


@pytest.fixture
def proxy(server: Running) -> Iterator[Proxy]:
    """A proxy before the registry."""
    with proxied(server.host) as proxy:
        yield proxy


@pytest_asyncio.fixture(loop_scope="session")
async def behind(proxy: Proxy, path: str) -> AsyncIterator[Registry]:
    """The test's place in the registry, reached through the proxy."""
    async with open_registry(parse_address(f"{proxy.address}/{path}"), NOBODY) as registry:
        yield registry


@pytest.fixture
def release(server: Running, path: str, tmp_path: Path) -> Maker:
    """Makes releases of small images."""
    made = 0

    def maker(**differs: object) -> list[Candidate]:
        nonlocal made
        made += 1
        recipe = {"registry": f"{server.host}/{path}", **differs}
        return make(tmp_path / f"release-{made}", Recipe(**recipe))  # type: ignore[arg-type]

    return maker


async def digests(registry: Registry, tag: str) -> dict[str, str]:
    """Return what a tag names in each repository of the catalogue that has it."""
    return await published_digests(registry, tag, OF_ONE_LINE)


def of(candidates: list[Candidate]) -> dict[str, str]:
    """Return the digests of a release."""
    return {candidate.name: candidate.digest for candidate in candidates}
