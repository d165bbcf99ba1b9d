"""Failures of an application's steps as one sentence with a remedy, and the end of the step's output."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import dagger

from pipeline.errors import AppError

T = TypeVar("T")

#: How many lines of a step's output an error shows.
_SHOWN = 20


@dataclass(frozen=True)
class Reason:
    """A reason for a failure that the step's output shows.

    Args:
        pattern: a regular expression that finds it; its groups fill the sentence.
        sentence: for the user, with {0}, {1} … for the groups.
    """

    pattern: str
    sentence: str


#: Refusals of package indexes, as uv, Poetry and pip report them.
INDEX_REASONS = (
    Reason(
        r"https?://(?:[^/\s@]*@)?([^/\s`]+)[^\n]*\n?[^\n]*\b40[13]\b|40[13][^\n]*https?://(?:[^/\s@]*@)?([^/\s`]+)",
        "The package index {0} demands a login; give one with --netrc, as in --netrc file://~/.netrc.",
    ),
)
#: Versions of Python that a project refuses.
PYTHON_REASONS = (
    Reason(
        r"No interpreter found for Python (\S+)|is not allowed by the project \(([^)]+)\)|does not satisfy Python(\S+)",
        "The project needs Python {0}, and this line has another one; choose another --line, or widen requires-python.",
    ),
)
#: Files that are not those of the lock.
HASH_REASONS = (
    Reason(
        r"(?i)hash mismatch for `?([^`\s]+)",
        "The index has other bytes of {0} than the lock; find out which is right before you lock again.",
    ),
    Reason(
        r"In `--require-hashes` mode, all requirements must[^\n]*?: ([^\s]+)",
        "requirements.txt has no hash for {0}; write it with `uv pip compile pyproject.toml --generate-hashes "
        "--output-file requirements.txt`.",
    ),
)
#: Packages that have no wheel for the line, and cannot be compiled.
COMPILE_REASONS = (
    Reason(
        r"Failed to build `?([\w.-]+?)(?:==[^`\s]*|\s@[^`]*)?`?(?:\s|$)",
        "{0} cannot be built in the build image; give the packages that it needs with --build-apt, as in --build-apt "
        "libpq-dev.",
    ),
)


async def explained(
    call: Callable[[], Awaitable[T]], reasons: Sequence[Reason], otherwise: str, *, show_output: bool = True
) -> T:
    """Return the result of a step.

    Args:
        call: runs the step.
        reasons: the failures that the user can correct; the first that the output shows is reported.
        otherwise: the sentence for any other failure.
        show_output: whether the end of the output follows the sentence.

    Raises:
        AppError: the step failed.
    """
    try:
        return await call()
    except dagger.ExecError as error:
        output = f"{error.stdout.strip()}\n{error.stderr.strip()}".strip()
        sentence = next((text for reason in reasons if (text := _filled(reason, output))), otherwise)
        shown = "\n".join(output.splitlines()[-_SHOWN:]) if show_output else ""
        raise AppError(f"{sentence}\n{shown}".rstrip()) from error


def _filled(reason: Reason, output: str) -> str:
    found = re.search(reason.pattern, output)
    return reason.sentence.format(*(group for group in found.groups() if group)) if found else ""
