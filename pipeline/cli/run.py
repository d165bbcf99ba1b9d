"""One run: an engine, the calls, and what came of them."""

import importlib
import inspect
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from pipeline.cli.options import BUILD_ALL, DIST, Options
from pipeline.cli.session import Engine, HostError, choose_base, start_engine
from pipeline.cli.summary import Run, table
from pipeline.progress import Progress, View

# What imports Dagger's SDK is imported when the engine is starting already.
if TYPE_CHECKING:
    from pipeline.cli.functions import Function
    from pipeline.cli.results import Outcome

REPORT = "build-report.json"
#: These build nothing, so that they need no base.
WITHOUT_BASE = frozenset({"images"})


@dataclass(frozen=True)
class Plan:
    """What is to be called: all words have become values, so that a mistake in the last one costs nothing.

    Attributes:
        given: the constructor's arguments.
        calls: functions and their arguments.
    """

    given: dict[str, Any]
    calls: "tuple[tuple[Function, dict[str, Any]], ...]"


async def run(options: Options, words: list[str], view: View, scope: anyio.CancelScope) -> "Outcome | None":
    """Start an engine and perform the calls on it.

    Args:
        options: the command line's own flags.
        words: the others.
        view: shows the steps.
        scope: what a signal cancels; the engine is outside of it, so that it always ends in order.

    Returns:
        What there is to say; None when a signal came first.

    Raises:
        UsageError: the words make no call.
        SkaError, dagger.QueryError: what the calls raised.
    """
    began = time.monotonic()
    with ThreadPoolExecutor(1) as pool, Progress(view) as progress:
        # The SDK takes most of a second to import; the engine starts meanwhile.
        module: Future[Any] = pool.submit(importlib.import_module, "pipeline.cli.arguments")
        try:
            async with start_engine(options, progress.event) as engine:
                await anyio.to_thread.run_sync(module.result)
                plan = _plan(words)
                async with engine.connect():
                    with scope:
                        result = await _perform(plan, engine, view)
                        so_far = partial(_so_far, progress if engine.embedded else None, began)
                        return await _outcome(result, plan.calls[-1][0], options, so_far)
                    progress.stop()
        except HostError:
            # A wrong word is the better news: it can be mended at once.
            _plan(words)
            raise
    return None


def _so_far(progress: Progress | None, began: float) -> Run:
    steps = tuple(progress.steps.values()) if progress else None
    return Run(steps, time.monotonic() - began)


def _plan(words: list[str]) -> Plan:
    from pipeline.cli.arguments import parse, require
    from pipeline.cli.functions import constructor
    from pipeline.cli.values import arguments

    invocation = parse(words, constructor())
    require(invocation)
    calls = [(call.function, arguments(call)) for call in invocation.calls]
    return Plan(arguments(invocation.constructor), tuple(calls))


async def _perform(plan: Plan, engine: Engine, view: View) -> Any:
    from pipeline.cli.functions import new_main_object

    given = plan.given
    if engine.embedded and plan.calls[0][0].name not in WITHOUT_BASE:
        given = given | await _base(given, view)
    result = await _awaited(new_main_object(given))
    for function, values in plan.calls:
        result = await _awaited(getattr(result, function.key)(**values))
    return result


async def _base(given: Mapping[str, Any], view: View) -> dict[str, str]:
    if "base_archive" in given or given.get("base", "auto") != "auto":
        return {}
    from pipeline.settings import Settings

    # With the other arguments, so that a malformed one is refused before anything is said of the base.
    reference = Settings(**{key: value for key, value in given.items() if value and key != "base"}).base
    if reference.startswith("bootstrap:"):
        return {}
    return {"base": await choose_base(reference, view.notice)}


async def _awaited(value: Any) -> Any:
    # The SDK's objects can be awaited too, which evaluates them; they shall stay lazy.
    return await value if inspect.iscoroutine(value) else value


async def _outcome(result: Any, function: "Function", options: Options, so_far: Callable[[], Run]) -> "Outcome":
    from pipeline.cli.results import Outcome, deliver, export

    if function.name != BUILD_ALL:
        return await deliver(result, options)
    output = options.output or DIST
    await export(result, output)
    report = (output / REPORT).read_text(encoding="utf-8")
    return Outcome(report if options.json else table(json.loads(report), so_far(), output))
