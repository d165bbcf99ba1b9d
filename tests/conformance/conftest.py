"""The engines that the rules are held against."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import dagger
import pytest
import pytest_asyncio

from pipeline.build.settings import Settings
from pipeline.catalogue.lines import find_line
from tests.clients import connected
from tests.conformance.rules import Subject
from tests.conftest import ENVIRONMENT
from tests.ordinary_user import OrdinaryUser
from tests.registry import running

#: How each engine is run: the embedded one as root and as an ordinary user.
MODES = {"embedded": ("root", "user"), "dagger": ("dagger",)}

Connect = Callable[[], AbstractAsyncContextManager[dagger.Client]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Hold each rule against each engine."""
    if "mode" in metafunc.fixturenames:
        modes = modes_of(metafunc.config.getoption("--engine"))
        metafunc.parametrize("mode", modes, indirect=True, scope="session")


def modes_of(engines: Sequence[str]) -> list[str]:
    """Return how engines are run, each once; where none is named, the embedded one."""
    return [mode for engine in dict.fromkeys(engines or ["embedded"]) for mode in MODES[engine]]


@pytest.fixture(scope="session")
def mode(request: pytest.FixtureRequest) -> str:
    """Which engine, and how it is run: one of MODES."""
    return str(request.param)


@pytest.fixture(scope="session")
def connect(mode: str, request: pytest.FixtureRequest) -> Connect:
    """How a client of that engine is made."""
    if mode == "dagger":
        return _dagger_client
    if mode == "user":
        user: OrdinaryUser = request.getfixturevalue("user")
        store: Path = request.getfixturevalue("user_store")
        return lambda: user.client(store)
    session = request.getfixturevalue("engine")
    return lambda: connected(session)


@contextlib.asynccontextmanager
async def _dagger_client() -> AsyncIterator[dagger.Client]:
    """Connect as `dagger.connection()` does: to the session in the environment, or to one of the `dagger` program."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        async with dagger.Connection() as client:
            yield client


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def conformance_client(connect: Connect) -> AsyncIterator[dagger.Client]:
    """A client of the engine under test."""
    async with connect() as client:
        yield client


@pytest.fixture(scope="session")
def conformance_registry(
    mode: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Host and port of a registry that the engine under test reaches."""
    if mode == "dagger" and (given := request.config.getoption("--registry")):
        yield given
        return
    with running(tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.fixture
def directory(mode: str, request: pytest.FixtureRequest) -> Path:
    """An empty directory that the engine under test may use."""
    if mode == "user":
        user: OrdinaryUser = request.getfixturevalue("user")
        return user.directory()
    made: Path = request.getfixturevalue("tmp_path")
    return made


def base_of(mode: str, option: str | None, environment: Mapping[str, str]) -> str:
    """Return the reference of the image that the rules start from.

    Args:
        mode: one of MODES.
        option: what --base says.
        environment: that of whoever runs the tests.
    """
    if mode == "dagger":
        return option or environment.get("SKA_BASE") or find_line(Settings().lines[0]).base
    return option or "bootstrap:auto"


@pytest.fixture
def subject(
    conformance_client: dagger.Client,
    conformance_registry: str,
    mode: str,
    directory: Path,
    request: pytest.FixtureRequest,
) -> Subject:
    """What each case is given."""
    reference = base_of(mode, request.config.getoption("--base"), ENVIRONMENT)
    base = conformance_client.container().from_(reference)
    return Subject(conformance_client, base, directory, conformance_registry, mode)
