"""What all tests share: one store, one engine, one build of the images."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from dagger.client._session import ConnectParams, SharedConnection
from embedded_engine.session import Session, open_session
from hypothesis import settings

from pipeline.build.base import select_bases
from pipeline.build.inputs import Build
from pipeline.build.settings import Settings
from tests import program
from tests.built_images import LINE
from tests.ordinary_user import OrdinaryUser, ordinary_user
from tests.registry import HOST_SERVICES

#: What a developer's shell may hold and a test must not see.
FOREIGN = ("SKA_", "CI_", "GITLAB_", "DAGGER_", "_EXPERIMENTAL_DAGGER_", "OTEL_", "TRACEPARENT")
#: A test that asks for one of these runs real containers.
ENGINE_FIXTURES = frozenset(
    {
        *("engine", "built", "built_by_user", "archives", "user_store", "conformance_client"),
        *("callers_workshop", "users_workshop", "workshop"),
    }
)
#: A test that asks for one of these starts a registry, fetches tools, or has the SDK register the module.
SLOW_FIXTURES = frozenset({"server", "guarded", "tools", "registered"})
#: The longest of those that run last come first among them, so that no processor waits at the end.
LONGEST = ("test_releases.py", "test_servers.py")
_STORE = pytest.StashKey[str]()
PROJECT = Path(__file__).parent.parent
#: Uppers of overlay file systems have to lie on a disk: /tmp is memory on many machines.
SCRATCH = Path("/var/tmp")
#: The developer's caches, which keep the tools that tests fetch.
CACHES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ska-images"
#: What was taken out of the environment; the tests that are meant for another engine find it with this.
ENVIRONMENT: dict[str, str] = {}
#: The setting of when images are built: all processes of a run build those of one day, also after midnight. That day is
#: not the run's own, so that a test whose builds take the clock's fails at any hour.
CREATED = "SKA_CREATED"
YESTERDAY = (datetime.now(timezone.utc) - timedelta(days=1)).strftime("%Y-%m-%d")

# Every run draws the same examples; --hypothesis-profile=long draws others, and many more.
settings.register_profile("repeatable", derandomize=True, max_examples=100)
settings.register_profile("long", max_examples=2000)
settings.load_profile("repeatable")


@dataclass(frozen=True)
class Built:
    """What one `ska-images build-all` left behind.

    Args:
        dist: the directory of the archives and the report.
        report: build-report.json, read.
        output: what the command printed on both streams.
    """

    dist: Path
    report: dict[str, Any]
    output: str


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let developers keep the store between runs."""
    parser.addoption("--store", type=Path, help="a directory that keeps images and steps between runs")
    parser.addoption(
        "--engine",
        action="append",
        choices=["embedded", "dagger"],
        default=[],
        help="an engine that tests/conformance holds to its rules; may be given twice. `embedded` is the default; "
        "`dagger` is Dagger's own, of the session in the environment or of the `dagger` program",
    )
    parser.addoption(
        "--base",
        help="the image that the rules of tests/conformance start from, a Debian or Ubuntu; for Dagger's engine also "
        "SKA_BASE",
    )
    parser.addoption(
        "--line",
        default=LINE,
        help="the line whose images the tests of consumers build on",
    )
    parser.addoption("--kills", type=int, default=3, help="how often the tests of kills and power cuts do it, each")
    parser.addoption(
        "--registry", help="HOST:PORT of a registry that this engine and this machine reach, for tests/conformance"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Take out of the environment what would change the results, and give the command line caches of its own.

    CI goes as well: the tests build on the stand-in where no registry answers, in a CI job too.
    """
    if config.getoption("dist", "no") != "no":
        # The workers of pytest-xdist run the tests, on one store.
        store = tempfile.mkdtemp(prefix="ska-images-tests-", dir=SCRATCH)
        config.stash[_STORE] = store
        config.add_cleanup(partial(remove_tree, store))
        return
    caches = tempfile.TemporaryDirectory(prefix="ska-images-caches-")
    config.add_cleanup(caches.cleanup)
    config.add_cleanup(program.SERVER.stop)
    os.environ["XDG_CACHE_HOME"] = caches.name
    for name in [name for name in os.environ if name == "CI" or name.startswith(FOREIGN)]:
        ENVIRONMENT[name] = os.environ.pop(name)
    os.environ[CREATED] = getattr(config, "workerinput", {}).get("created", YESTERDAY)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give the store and the day of the run to a worker of pytest-xdist."""
    node.workerinput["store"] = node.config.stash[_STORE]
    node.workerinput["created"] = YESTERDAY


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the fast tests first, and those that use the finished images last."""

    def rank(item: pytest.Item) -> int:
        if "consumers" in item.path.parts:
            return 2
        if "faults" in item.path.parts:
            return 1  # engines of their own
        return int(not ENGINE_FIXTURES.isdisjoint(getattr(item, "fixturenames", ())))

    items.sort(key=lambda item: (rank(item), item.path.name not in LONGEST))
    for item in items:
        if rank(item):
            item.add_marker("engine")
        if not SLOW_FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("slow")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Give the reason where many tests fail for the same one."""
    if os.geteuid() != 0 and (terminalreporter.stats.get("failed") or terminalreporter.stats.get("error")):
        terminalreporter.write_line(
            "Many tests mount file systems or give files away, which needs root: run `make test`."
        )


@pytest.fixture(scope="session")
def store(request: pytest.FixtureRequest) -> Iterator[Path]:
    """The store of all tests."""
    given: Path | None = request.config.getoption("--store")
    if worker := getattr(request.config, "workerinput", None):
        given = given or Path(worker["store"])
    if given:
        yield given.absolute()
        return
    directory = Path(tempfile.mkdtemp(prefix="ska-images-tests-", dir=SCRATCH))
    yield directory
    remove_tree(directory)


def remove_tree(directory: str | Path) -> None:
    """Remove a directory: Python stops at a thousand levels, of which a hostile step made more, and takes longer."""
    subprocess.run(["rm", "-rf", directory], check=True)


@pytest.fixture(scope="session")
def kills(request: pytest.FixtureRequest) -> int:
    """How often something is to be killed: a few times, unless --kills says otherwise."""
    return int(request.config.getoption("--kills"))


@pytest.fixture(scope="session")
def events() -> list[dict[str, Any]]:
    """Every progress event of the engine so far."""
    return []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine(store: Path, events: list[dict[str, Any]]) -> AsyncIterator[Session]:
    """The embedded engine, connected to the SDK's global client."""
    async with open_session(store=store, on_event=events.append, host_services=HOST_SERVICES) as session:
        connection = SharedConnection().with_params(ConnectParams(port=session.port, session_token=session.token))
        async with connection:
            yield session


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def user() -> AsyncIterator[OrdinaryUser]:
    """An ordinary user of this machine."""
    async with ordinary_user(SCRATCH) as one:
        yield one


@pytest.fixture(scope="session")
def user_store(request: pytest.FixtureRequest, user: OrdinaryUser) -> Path:
    """A store of the ordinary user, beside the one of all tests where that is kept."""
    given: Path | None = request.config.getoption("--store")
    if not given:
        return user.store
    beside = given.absolute().with_name(f"{given.name}-user")
    if not beside.exists():
        user.directory().rename(beside)
    return beside


@pytest.fixture(scope="session")
def tools() -> Path:
    """A directory of --tools, kept from one run to the next; every file is looked at again."""
    directory = CACHES / "tools"
    subprocess.run([sys.executable, "-m", "dev.tools", directory], cwd=PROJECT, check=True)
    return directory


@pytest.fixture(scope="session")
def built(store: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Built:
    """The images, built once by the real command.

    Raises:
        AssertionError: the build failed; its output says why.
    """
    dist = tmp_path_factory.mktemp("build-all") / "dist"
    line = request.config.getoption("--line")
    argv = [sys.executable, "-m", "pipeline", *_build_all(dist, store), *(() if line == LINE else ("--line", line))]
    return _built(dist, subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False))


@pytest.fixture(scope="session")
def built_by_user(built: Built, user: OrdinaryUser) -> Built:
    """The same images, built from nothing by an ordinary user, in another store and another directory.

    Raises:
        AssertionError: the build failed; its output says why.
    """
    dist = user.home / "dist"
    snapshot = built.report["lines"][0]["snapshot"] or "off"
    argv = [*_build_all(dist, user.store), "--created", built.report["created"], "--snapshot", snapshot]
    return _built(dist, user.ska_images(*argv))


def _build_all(dist: Path, store: Path) -> list[str | Path]:
    return ["build-all", "-o", dist, "--store", store, "--progress", "plain"]


def _built(dist: Path, done: subprocess.CompletedProcess[str]) -> Built:
    assert done.returncode == 0, f"ska-images build-all ended with {done.returncode}:\n{done.stdout}"
    return Built(dist, json.loads((dist / "build-report.json").read_text()), done.stdout)


@pytest.fixture(scope="session")
def archives(built: Built) -> dict[str, Path]:
    """The archives by the names of their images."""
    return {path.stem: path for path in sorted(built.dist.glob("*.tar"))}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def build(engine: Session, built: Built) -> Build:
    """The build that made the archives: the same steps, so that all of them are in the store."""
    settings = Settings(base=built.report["lines"][0]["base"], created=built.report["created"])
    return Build(settings, await select_bases(settings, None))
