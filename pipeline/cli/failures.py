"""Errors as one sentence and an exit code, like those of `dagger call`."""

import shlex
import sys
import traceback
from typing import Any, TextIO

from pipeline.cli.options import debugging
from pipeline.cli.remedies import REMEDIES, with_remedy
from pipeline.errors import SkaError
from pipeline.escape import escaped_lines

#: The exit codes that shells report for SIGINT and SIGTERM.
INTERRUPTED, TERMINATED = 130, 143
#: The most lines shown of each stream of a failed command.
SHOWN_LINES = 20


def report(error: BaseException, *, shown: bool, stream: TextIO | None = None) -> int:
    """Print an error.

    Args:
        error: the exception; of a group, the first one is printed.
        shown: whether the screen already shows the output of the failed step.
        stream: standard error by default.

    Returns:
        The exit code: that of the failed command, 2 for an error that the user can fix, else 1.
    """
    stream = stream or sys.stderr
    error = _first(error)
    if debugging():
        traceback.print_exception(error, file=stream)
    sentence, code = _describe(error)
    # A table may follow the sentence; terminal control characters from any source are escaped.
    print(f"Error: {escaped_lines(sentence)}", file=stream)
    if not shown and _is(error, "ExecError"):
        for title, text in (("Stdout", error.stdout), ("Stderr", error.stderr)):  # type: ignore[attr-defined]
            if text.strip():
                print(f"{title}:\n{escaped_lines(_end(text))}", file=stream)
    return code


def _describe(error: BaseException) -> tuple[str, int]:
    if isinstance(error, SkaError):
        return str(error), error.exit_code
    if _is(error, "ExecError"):
        failed: Any = error
        return f"{_step(failed.command)} failed with exit code {failed.exit_code}.", failed.exit_code or 1
    if _is(error, "QueryError"):
        query: Any = error
        code = (query.error.extensions or {}).get("code", "")
        return with_remedy(str(error), code), 2 if code in REMEDIES else 1
    if isinstance(error, OSError) and error.strerror:
        # If a file is renamed into place, the user knows the second name.
        name = error.filename2 or error.filename
        return f"{f'{name}: ' if name else ''}{error.strerror}.", 2
    if _is(error, "TransportError") or _is(error, "ClientConnectionError"):
        reason = str(error).rstrip(".")
        return f"The connection to the engine broke ({reason}); run again: finished steps are kept.", 1
    return f"{str(error) or type(error).__name__} (SKA_DEBUG=1 shows where).", 1


def _is(error: BaseException, name: str) -> bool:
    # By name, because the error may precede the import of the SDK.
    dagger = sys.modules.get("dagger")
    return dagger is not None and isinstance(error, getattr(dagger, name, ()))


def _first(error: BaseException) -> BaseException:
    # Python 3.10 has no ExceptionGroup; anyio brings its own there.
    while members := getattr(error, "exceptions", None):
        error = members[0]
    return error


def _step(command: list[str]) -> str:
    # The fourth word is a shell's $0, which in this project is the step's name.
    if len(command) > 3 and command[0].endswith("sh") and command[1].startswith("-") and command[1].endswith("c"):
        return f'step "{command[3]}"'
    words = shlex.join(command)
    return f"`{words if len(words) <= 100 else words[:97] + '...'}`"


def _end(text: str) -> str:
    lines = text.strip().splitlines()
    left_out = len(lines) - SHOWN_LINES
    return "\n".join([*([f"[{left_out} lines before]"] if left_out > 0 else []), *lines[-SHOWN_LINES:]])
