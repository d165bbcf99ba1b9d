"""The engine that serves the calls, and the base that it starts from."""

import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pipeline.build.base_reference import ANY_STAND_IN, STAND_IN, BaseReference
from pipeline.build.settings import Settings
from pipeline.cli.options import Options, UsageError, in_ci_job, session_in_environment
from pipeline.cli.remedies import with_remedy
from pipeline.errors import SkaError, UserError

if TYPE_CHECKING:
    from pipeline.catalogue.lines import Line

OnEvent = Callable[[dict[str, Any]], None]
#: The name of the embedded engine's default store.
STORE = "ska-images"
#: The engine's code of a registry that does not answer.
UNREACHABLE = "REGISTRY_UNREACHABLE"
#: A service on this machine's loopback, as in the address of a registry.
_LOOPBACK = re.compile(r"(?<![\w.-])((?:localhost|127(?:\.\d{1,3}){3}|\[::1\]):\d{1,5})(?!\d)")

_WARNING = """\
WARNING: The registry of the base cannot be reached.
The images are built on a STAND-IN BASE, made from this machine's own package
sources:
{listed}
They serve this machine and its tests; do not publish them.{undated} For the
real base make the registry reachable, or fetch an archive on a machine that
reaches it,
  skopeo copy docker://{source} oci-archive:base.tar
and build that line with --base-archive base.tar."""
#: The stand-in whose package indexes may be past their date.
_WITHOUT_DATES = f"{STAND_IN}debian-sid"
_UNDATED = f"""
The package index of {_WITHOUT_DATES} may be past its date, which is not
verified: an old state of it would not be noticed."""


#: A job is unattended, so it must not switch to another distribution by itself.
_IN_CI_JOB = "{}; a CI job uses a stand-in base only if told to: set --base {} or SKA_BASE={}."


class HostError(UserError):
    """The embedded engine cannot run on this host as it is."""


class StandInRefused(UserError):
    """Only a stand-in base is available, and it was not requested."""


@dataclass(frozen=True)
class Engine:
    """An engine, running or started by `connect`.

    Attributes:
        embedded: whether it is the embedded engine.
        connect: connects the SDK's `dag` to it.
    """

    embedded: bool
    connect: Callable[[], AbstractAsyncContextManager[Any]]


@asynccontextmanager
async def start_engine(options: Options, on_event: OnEvent, words: Sequence[str] = ()) -> AsyncIterator[Engine]:
    """Start the engine that the options select, without importing Dagger's SDK.

    Args:
        options: `engine` and `store` are read.
        on_event: takes the embedded engine's events.
        words: of the calls; steps may reach the loopback registries that these name, because they sign there.

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
        # Otherwise the SDK downloads the program in its own version.
        os.environ["_EXPERIMENTAL_DAGGER_CLI_BIN"] = binary
        yield Engine(False, _connect_dagger)
    else:
        async with _embedded(options, on_event, words) as connect:
            yield Engine(True, connect)


def on_embedded(options: Options) -> bool:
    """Return whether the options select the embedded engine."""
    return options.engine == "embedded" or (options.engine == "auto" and not session_in_environment())


def unstarted() -> ModuleType:
    """Return embedded_engine.unstarted, which describes the engine without starting it."""
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
    """List, prune or verify the embedded engine's store.

    Args:
        options: `store` is read.
        words: arguments of embedded_engine.store.cache.

    Returns:
        The engine's answer, and `quota`, the limit of the store in bytes; 0 for no limit.

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
    """Yield embedded_engine.session, and turn the engine's errors into errors of the command line."""
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

    # On loopback, retries would only hide for 15 s that the engine has died.
    connection = SharedConnection().with_config(ConnectConfig(retry=None))
    return connection.with_params(ConnectParams(port=port, session_token=token))


def _connect_environment() -> AbstractAsyncContextManager[Any]:
    from dagger.client._session import SharedConnection

    return SharedConnection()


def _connect_dagger() -> AbstractAsyncContextManager[Any]:
    import dagger

    return dagger.connection(dagger.Config(log_output=sys.stderr))


@dataclass(frozen=True)
class ChosenBases:
    """The bases of a run.

    Attributes:
        bases: their references by the names of the lines: pinned, or stand-ins.
        replaced: stand-ins by the pinned references that they replace, because no registry answers.
    """

    bases: Mapping[str, str] = field(default_factory=dict)
    replaced: Mapping[str, str] = field(default_factory=dict)

    @property
    def given(self) -> dict[str, list[str]]:
        """The argument of the constructor that names them, if any were chosen."""
        return {"base": [f"{line}={base}" for line, base in self.bases.items()]} if self.bases else {}


async def choose_bases(settings: Settings, warn: Callable[[str], None]) -> ChosenBases:
    """Return the pinned base of each line, or a stand-in if its registry does not answer.

    Args:
        settings: `lines` and `base` are read.
        warn: shows the warning that images are built on stand-ins.

    Raises:
        StandInRefused: the registry does not answer a CI job.
        dagger.QueryError: the registry answers, but not with the image.
    """
    from pipeline.catalogue.lines import find_line
    from pipeline.concurrency import concurrently

    lines = [find_line(name) for name in settings.lines]
    pinned = {line.name: settings.base_of(line) for line in lines}
    chosen = await concurrently([partial(_chosen, line, pinned[line.name]) for line in lines])
    bases = {line.name: base for line, base in zip(lines, chosen, strict=True)}
    replaced = {pinned[name]: base for name, base in bases.items() if base != pinned[name]}
    if replaced:
        warn(stand_in_warning(replaced))
    return ChosenBases(bases, replaced)


async def _chosen(line: "Line", reference: str) -> str:
    import dagger
    from dagger import dag

    from pipeline.build.base import stand_in_of

    if BaseReference(reference).is_stand_in:
        return reference
    try:
        await dag.container().from_(reference).image_ref()
    except dagger.QueryError as error:
        if (error.error.extensions or {}).get("code") != UNREACHABLE:
            raise
        if in_ci_job():
            unreachable = with_remedy(str(error), UNREACHABLE).removesuffix(".")
            raise StandInRefused(_IN_CI_JOB.format(unreachable, ANY_STAND_IN, ANY_STAND_IN)) from error
        return await stand_in_of(line)
    return reference


def stand_in_warning(replaced: Mapping[str, str]) -> str:
    """Return the warning that images are built on stand-ins.

    Args:
        replaced: the stand-ins by the pinned references that they replace.
    """
    listed = [f"  {stand_in} in the place of {pinned.partition('@')[0]}" for pinned, stand_in in replaced.items()]
    undated = _UNDATED if _WITHOUT_DATES in replaced.values() else ""
    source = _for_skopeo(next(iter(replaced)))
    return _WARNING.format(listed="\n".join(listed), undated=undated, source=source)


def _for_skopeo(reference: str) -> str:
    # skopeo refuses a reference with both a tag and a digest.
    name, at, digest = reference.partition("@")
    return f"{name.rpartition(':')[0] or name}{at}{digest}" if at and "/" not in name else reference
