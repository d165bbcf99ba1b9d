"""The standard streams, made usable even if the caller closed them."""

import contextlib
import os
import sys

from pipeline.errors import UserError


def prepare() -> None:
    """Open the streams that the caller closed, and make every text writable in any encoding.

    A closed standard output refuses every write, as in coreutils; otherwise the next file opened would take its place
    and receive the results.
    """
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        with contextlib.suppress(OSError):
            os.fstat(number)
            continue
        os.open(os.devnull, mode)  # the lowest free number, which is this one
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


class OutputError(UserError):
    """Standard output cannot be written."""


def write(text: str) -> None:
    """Write a result to standard output, at once.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
        sys.stdout.flush()
    except OSError as error:
        raise OutputError(f"The result cannot be written to standard output: {error.strerror}.") from error


def finish() -> None:
    """Discard what a stream did not accept: it was reported, and the interpreter would report it again at exit."""
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), number)
