"""Which engine serves the calls, and which base it starts from."""

import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from pipeline.build.settings import Settings
from pipeline.cli.options import Options, UsageError, in_ci_job, session_in_environment
from pipeline.cli.remedies import with_remedy
from pipeline.errors import SkaError, UserError

OnEvent = Callable[[dict[str, Any]], None]
#: The directory that this user's embedded engine keeps images and steps in, where nobody chose another.
STORE = "ska-images"
STAND_IN = "bootstrap:auto"
#: The engine's code where no registry answers.
UNREACHABLE = "REGISTRY_UNREACHABLE"
#: A service of this machine's loopback, as in an address of a registry.
_LOOPBACK = re.compile(r"(?<![\w.-])((?:localhost|127(?:\.\d{1,3}){3}|\[::1\]):\d{1,5})(?!\d)")

_WARNING = """\
WARNING: The registry of {image} cannot be reached.
The images are built on a STAND-IN BASE, {stand_in}, made from this
machine's own package sources. They serve this machine and its tests; do not
publish them. For the real base make the registry reachable, or fetch an archive
of it where it is,
  skopeo copy docker://{source} oci-archive:base.tar
and build with --base-archive base.tar."""


#: Nobody watches a job: it must not change the distribution of what it builds by itself.
_IN_CI_JOB = "{}; a CI job builds on a stand-in base only on demand: with --base {}, or SKA_BASE={}."


class HostError(UserError):
    """The embedded engine cannot run on this host as it is."""


class StandInRefused(UserError):
    """Only a stand-in base could be built on, and nobody asked for one."""


@dataclass(frozen=True)
class Engine:
    """An engine that runs or that `connect` will start.

    Attributes:
        embedded: whether it is the one of this project.
        connect: makes the SDK's `dag` use it.
    """

    embedded: bool
    connect: Callable[[], AbstractAsyncContextManager[Any]]


@asynccontextmanager
async def start_engine(options: Options, on_event: OnEvent, words: Sequence[str] = ()) -> AsyncIterator[Engine]:
    """Start the engine that the options choose, without importing Dagger's SDK.

    Args:
        options: `engine` and `store` are read.
        on_event: takes the embedded engine's events.
        words: of the calls; the registries of the loopback that they name are for steps too, which sign there.

    Raises:
        UsageError: `--engine dagger` without Dagger's CLI.
        HostError: the embedded engine cannot run on this host.
    """
    if options.engine != "embedded" and session_in_environment():
        yield Engine(False, _connect_environment)
    elif options.engine == "dagger":
        if not (binary := os.environ.get("_EXPERIMENTAL_DAGGER_CLI_BIN") or shutil.which("dagger")):
            raise UsageError(
                "--engine dagger needs the `dagger` program, which is not in PATH; install it"
                " (https://docs.dagger.io/install) or use --engine embedded."
            )
        # The SDK would download a program of its own version otherwise.
        os.environ["_EXPERIMENTAL_DAGGER_CLI_BIN"] = binary
        yield Engine(False, _connect_dagger)
    else:
        async with _embedded(options, on_event, words) as connect:
            yield Engine(True, connect)


def on_embedded(options: Options) -> bool:
    """Tell whether the options choose the embedded engine."""
    return options.engine == "embedded" or (options.engine == "auto" and not session_in_environment())


def unstarted() -> ModuleType:
    """Return what can be told about the embedded engine without starting it: embedded_engine.unstarted."""
    from embedded_engine import unstarted

    return unstarted


def store_of(options: Options, settings: Settings) -> Path:
    """Return the embedded engine's directory: the flag's, the setting's, or the user's own.

    Raises:
        EngineError: the user has no home directory.
    """
    own: Callable[[str], Path] = unstarted().default_store
    return options.store or settings.store or own(STORE)


@asynccontextmanager
async def _embedded(
    options: Options, on_event: OnEvent, words: Sequence[str]
) -> AsyncIterator[Callable[[], AbstractAsyncContextManager[Any]]]:
    given = Settings()
    with _engine() as engine:
        async with engine.open_session(
            store=store_of(options, given),
            quota=given.cache_quota,
            host_services=_LOOPBACK.findall("\n".join((given.registry, *words))),
            on_event=on_event,
        ) as session:
            yield lambda: _connect(session.port, session.token)


async def tend_store(options: Options, words: list[str]) -> dict[str, Any]:
    """Look after the embedded engine's store.

    Args:
        options: `store` is read.
        words: arguments of embedded_engine.store.cache.

    Returns:
        Its answer, and `quota`, the bytes that the store may keep; 0 for no limit.

    Raises:
        HostError: the store cannot be used.
    """
    given = Settings()
    with _engine() as engine:
        answer: dict[str, Any] = await engine.tend(words, store=store_of(options, given))
        quota = engine.QUOTA if given.cache_quota is None else given.cache_quota
    return {**answer, "quota": quota}


@contextmanager
def _engine() -> Iterator[ModuleType]:
    """Yield embedded_engine.session; what the engine raises becomes an error of the command line."""
    from embedded_engine import session
    from embedded_engine.host.errors import EngineError

    try:
        yield session
    except EngineError as error:
        sentence = with_remedy(str(error), error.code)
        raise (SkaError if error.code == "INTERNAL" else HostError)(sentence) from error


def _connect(port: int, token: str) -> AbstractAsyncContextManager[Any]:
    from dagger.client._config import ConnectConfig
    from dagger.client._session import ConnectParams, SharedConnection

    # No retries: on loopback they only hide for 15 s that the engine has died.
    connection = SharedConnection().with_config(ConnectConfig(retry=None))
    return connection.with_params(ConnectParams(port=port, session_token=token))


def _connect_environment() -> AbstractAsyncContextManager[Any]:
    from dagger.client._session import SharedConnection

    return SharedConnection()


def _connect_dagger() -> AbstractAsyncContextManager[Any]:
    import dagger

    return dagger.connection(dagger.Config(log_output=sys.stderr))


async def choose_base(reference: str, warn: Callable[[str], None]) -> str:
    """Choose between the pinned base and, where nothing answers for its registry, a stand-in.

    Args:
        reference: the pinned base.
        warn: shows the warning that the images are built on a stand-in.

    Returns:
        The reference, or that of a stand-in such as `bootstrap:debian-12`.

    Raises:
        StandInRefused: nothing answers, and this is a CI job.
        dagger.QueryError: the registry's answer is not the image.
    """
    import dagger
    from dagger import dag

    try:
        await dag.container().from_(reference).image_ref()
    except dagger.QueryError as error:
        if (error.error.extensions or {}).get("code") != UNREACHABLE:
            raise
        if in_ci_job():
            unreachable = with_remedy(str(error), UNREACHABLE).removesuffix(".")
            raise StandInRefused(_IN_CI_JOB.format(unreachable, STAND_IN, STAND_IN)) from error
        stand_in = await dag.container().from_(STAND_IN).image_ref()
        warn(stand_in_warning(reference, stand_in))
        return stand_in
    return reference


def stand_in_warning(reference: str, stand_in: str) -> str:
    """Say that images are built on a stand-in for a base."""
    return _WARNING.format(image=reference.partition("@")[0], stand_in=stand_in, source=_for_skopeo(reference))


def _for_skopeo(reference: str) -> str:
    # skopeo refuses a reference with both a tag and a digest.
    name, at, digest = reference.partition("@")
    return f"{name.rpartition(':')[0] or name}{at}{digest}" if at and "/" not in name else reference
