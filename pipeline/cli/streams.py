"""The standard streams as the command line needs them, whatever the shell has made of them."""

import contextlib
import os
import sys

from pipeline.errors import UserError


def prepare() -> None:
    """Open those that the caller has closed, and let every text be written in any encoding.

    A closed standard output becomes one that refuses every write, as in coreutils; otherwise the next file that is
    opened would take its place, and results would go there.
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
    """Standard output takes no more."""


def write(text: str) -> None:
    """Write a result to standard output, at once.

    Raises:
        OutputError: it takes no more.
    """
    try:
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
        sys.stdout.flush()
    except OSError as error:
        raise OutputError(f"The result cannot be written to standard output: {error.strerror}.") from error


def finish() -> None:
    """Give up what a stream did not take, which has been reported; the interpreter would do so again as it ends."""
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), number)
