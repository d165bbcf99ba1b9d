"""From the command line to the exit code."""

import importlib.metadata
import logging
import os
import signal
import sys
from pathlib import Path

import anyio
from anyio.abc import TaskStatus

from pipeline.cli.cache import COMMAND, HELP, cache
from pipeline.cli.failures import INTERRUPTED, TERMINATED, report
from pipeline.cli.options import Options, UsageError, debugging, split_options
from pipeline.cli.progress import PlainView, View, is_terminal
from pipeline.cli.renewal import HELP_OF_RENEWAL, RENEW, renew
from pipeline.cli.run import run
from pipeline.cli.streams import write

DISTRIBUTION = "ska-base-images"
#: Commands that are not functions of the module, each with its help.
_COMMANDS = {COMMAND: (cache, HELP), RENEW: (renew, HELP_OF_RENEWAL)}


def main(argv: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the words after the program's name; those of the process by default.

    Returns:
        The exit code.
    """
    _quiet_logs()
    try:
        _require_working_directory()
        options, words = split_options(sys.argv[1:] if argv is None else argv)
        if options.version:
            write(f"ska-images {_version()}")
            return 0
        if words and words[0] in _COMMANDS and not options.help:
            text, code = anyio.run(_COMMANDS[words[0]][0], options, words[1:])
            write(text)
            return code
        if options.help or not words:
            write(_help(words))
            return 0
        return anyio.run(_interruptible, options, words)
    except BaseException as error:
        if _is_interrupt(error):
            print("Interrupted.", file=sys.stderr)
            return INTERRUPTED
        if not isinstance(error, Exception):
            raise
        return report(error, shown=False)


def _is_interrupt(error: BaseException) -> bool:
    # An interrupt before the signals are received here can be in the exception group of a task group.
    return isinstance(error, KeyboardInterrupt) or any(map(_is_interrupt, getattr(error, "exceptions", ())))


def _require_working_directory() -> None:
    try:
        Path.cwd()
    except OSError as error:
        raise UsageError(f"the working directory cannot be used ({error.strerror}); change to another one.") from error


def _quiet_logs() -> None:
    # The SDK logs what it also raises; here each error is reported once.
    if debugging():
        logging.basicConfig()
        logging.getLogger("dagger").setLevel(logging.DEBUG)
    else:
        logging.getLogger().addHandler(logging.NullHandler())


def _version() -> str:
    try:
        return importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return "from a source tree"


def _help(words: list[str]) -> str:
    if words and words[0] in _COMMANDS:
        return _COMMANDS[words[0]][1]
    from pipeline.cli.arguments import parse
    from pipeline.cli.functions import constructor
    from pipeline.cli.help import of_function, overview

    shared = constructor()
    calls = parse(words, shared).calls
    return of_function(calls[-1].function) if calls else overview(shared)


async def _interruptible(options: Options, words: list[str]) -> int:
    view = _view(options)
    scope = anyio.CancelScope()
    signals: list[int] = []
    code = 0
    async with anyio.create_task_group() as group:
        await group.start(_cancel_on_signal, scope, signals)
        try:
            outcome = await run(options, words, view, scope)
            if outcome is not None:
                outcome.show()
                code = outcome.code
        except Exception as error:
            code = report(error, shown=not isinstance(view, PlainView))
        group.cancel_scope.cancel()
    if not signals:
        return code
    print("Interrupted.", file=sys.stderr)
    return INTERRUPTED if signals[0] == signal.SIGINT else TERMINATED


async def _cancel_on_signal(scope: anyio.CancelScope, signals: list[int], *, task_status: TaskStatus[None]) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as received:
        task_status.started()
        async for number in received:
            signals.append(number)
            scope.cancel()


def _view(options: Options) -> View:
    if not is_terminal(options.progress, sys.stderr, os.environ.get("TERM", "")):
        return PlainView()
    from rich.console import Console

    from pipeline.cli.live import LiveView

    return LiveView(Console(stderr=True, force_terminal=True))
