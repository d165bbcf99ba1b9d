"""One run: an engine, the calls, and their outcome."""

import contextlib
import importlib
import inspect
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from pipeline.cli import again
from pipeline.cli.options import BUILD_ALL, DIST, REPORT, Options
from pipeline.cli.progress import Progress, View
from pipeline.cli.session import ChosenBases, Engine, HostError, choose_bases, start_engine
from pipeline.cli.summary import Outcome, RunSummary, table
from pipeline.cli.tables import TABLES

# Modules that import Dagger's SDK are imported while the engine starts.
if TYPE_CHECKING:
    from pipeline.cli.functions import Function

#: Functions that build nothing, and so need no base.
WITHOUT_BASE = frozenset({"images", "outdated", "promote", "release-notes", "stale", "verify"})


@dataclass(frozen=True)
class Plan:
    """The calls of a run. All words are converted first, so that a mistake in the last one costs nothing.

    Attributes:
        given: the constructor's arguments.
        calls: functions and their arguments.
    """

    given: dict[str, Any]
    calls: "tuple[tuple[Function, dict[str, Any]], ...]"

    @property
    def alone(self) -> str:
        """The name of the only call; empty if there are several, whose last is not of the main object."""
        return self.calls[0][0].name if len(self.calls) == 1 else ""


async def run(options: Options, words: list[str], view: View, scope: anyio.CancelScope) -> Outcome | None:
    """Start an engine and perform the calls on it, unless nothing has changed since they were performed.

    Args:
        options: the command line's own flags.
        words: the others.
        view: shows the steps.
        scope: cancelled by a signal; the engine is outside, so that it always shuts down properly.

    Returns:
        The outcome; None after a signal.

    Raises:
        UsageError: the words are not a valid call.
        SkaError, dagger.QueryError: a call failed.
    """
    began = time.monotonic()
    requested = again.request(options, words)
    if requested and (report := await again.report(requested, view.notice)):
        return _summary(report, options, RunSummary((), time.monotonic() - began))
    with ThreadPoolExecutor(1) as pool, Progress(view) as progress, _messages_shown(view):
        # The SDK takes most of a second to import; the engine starts meanwhile.
        module: Future[Any] = pool.submit(importlib.import_module, "pipeline.cli.arguments")
        try:
            async with start_engine(options, progress.event, words) as engine:
                await anyio.to_thread.run_sync(module.result)
                plan = _plan(words, options)
                async with engine.connect():
                    with scope:
                        base = await _base(plan, engine, view)
                        result, code = await _perform(plan, base.given)
                        so_far = partial(_so_far, progress if engine.embedded else None, began)
                        outcome = await _outcome(result, plan.alone, options, so_far)
                        if requested and plan.alone:
                            again.remember(requested, options, words, base.replaced)
                        return replace(outcome, code=code)
                    progress.stop()
        except HostError:
            # Report a wrong word first: it is quicker to fix.
            _plan(words, options)
            raise
    return None


@contextlib.contextmanager
def _messages_shown(view: View) -> Iterator[None]:
    """Show the pipeline's own messages beside the engine's steps."""
    handler = logging.Handler()
    handler.emit = lambda record: view.notice(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("pipeline")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _so_far(progress: Progress | None, began: float) -> RunSummary:
    steps = tuple(progress.steps.values()) if progress else None
    return RunSummary(steps, time.monotonic() - began)


def _plan(words: list[str], options: Options) -> Plan:
    from pipeline.cli.answers import require_file
    from pipeline.cli.arguments import parse, require
    from pipeline.cli.functions import constructor
    from pipeline.cli.values import arguments

    invocation = parse(words, constructor())
    require(invocation)
    require_file(invocation.calls[-1].function.returns, options)
    calls = [(call.function, arguments(call)) for call in invocation.calls]
    return Plan(arguments(invocation.constructor), tuple(calls))


async def _perform(plan: Plan, base: Mapping[str, list[str]]) -> tuple[Any, int]:
    """Return the result, and the exit code that some functions return with it."""
    import dagger

    from pipeline.cli.functions import new_main_object
    from pipeline.release.verdict import is_verdict

    result = await _awaited(new_main_object({**plan.given, **base}))
    try:
        for function, values in plan.calls:
            result = await _awaited(getattr(result, function.key)(**values))
    except dagger.ExecError as error:
        if not is_verdict(error):
            raise
        return error.stdout + "\n", error.exit_code
    return result, 0


async def _base(plan: Plan, engine: Engine, view: View) -> ChosenBases:
    given = plan.given
    if not engine.embedded or plan.calls[0][0].name in WITHOUT_BASE:
        return ChosenBases()
    from pipeline.build.settings import Settings
    from pipeline.catalogue.lookup import select

    # Unknown images and malformed settings are refused before any message about the base.
    words = {("lines" if key == "line" else key): value for key, value in given.items() if value}
    settings = Settings(**words)
    for _, values in plan.calls:
        images = values.get("image") or ()
        select([images] if isinstance(images, str) else images, settings.lines)
    if "base_archive" in given or given.get("base"):
        return ChosenBases()
    return await choose_bases(settings, view.notice)


async def _awaited(value: Any) -> Any:
    # Awaiting an object of the SDK would evaluate it; objects stay lazy here.
    return await value if inspect.iscoroutine(value) else value


async def _outcome(result: Any, alone: str, options: Options, so_far: Callable[[], RunSummary]) -> Outcome:
    from pipeline.cli.answers import deliver, export
    from pipeline.cli.delivery import write_beside

    if alone in TABLES:
        if options.output:
            write_beside(options.output, result)
        text = result if options.json else TABLES[alone](json.loads(result))
        return Outcome(text, options.output)
    if alone != BUILD_ALL:
        return await deliver(result, options)
    output = options.output or DIST
    await export(result, output, last=REPORT)
    return _summary((output / REPORT).read_text(encoding="utf-8"), options, so_far())


def _summary(report: str, options: Options, done: RunSummary) -> Outcome:
    return Outcome(report if options.json else table(json.loads(report), done, options.output or DIST))
