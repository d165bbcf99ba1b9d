"""Words converted into the values that functions take."""

import contextlib
import csv
import enum
import os
from pathlib import Path
from typing import Any

import dagger
from dagger import dag
from dagger.client.base import Scalar

from pipeline.build.amounts import parse_number
from pipeline.cli.arguments import Call
from pipeline.cli.functions import Flag
from pipeline.cli.options import UsageError


def arguments(call: Call) -> dict[str, Any]:
    """Convert the words given for a function's flags.

    Args:
        call: a function and its words.

    Returns:
        Values by Python's names; flags that were not given are left out, so that Python's defaults apply.

    Raises:
        UsageError: a word is not a value of the flag's type.
    """
    return {flag.key: _value(flag, words) for flag, words in call.given.items()}


def _value(flag: Flag, words: tuple[str, ...]) -> Any:
    if not flag.many:
        return _one(flag, words[-1])
    return [_one(flag, part) for word in words for part in _split(word)]


def _split(word: str) -> list[str]:
    try:
        return next(csv.reader([word]), [])
    except csv.Error:
        # For a bare newline: the whole value is passed on, and refused under the name of its flag.
        return [word]


def _one(flag: Flag, word: str) -> Any:
    kind = flag.kind
    if kind is bool:
        return word == "true"
    if kind in (int, float):
        return _number(flag, word)
    if kind is dagger.Secret:
        return _secret(flag, word)
    if kind is dagger.File:
        return dag.host().file(_path(flag, word, Path.is_file, "file"))
    if kind is dagger.Directory:
        return dag.host().directory(_path(flag, word, Path.is_dir, "directory"), exclude=list(flag.ignore) or None)
    if kind is dagger.Container:
        return dag.container().from_(word)
    if issubclass(kind, enum.Enum):
        return _member(flag, kind, word)
    if issubclass(kind, (str, Scalar)):
        return kind(word)
    raise UsageError(f"--{flag.name} takes a {kind.__name__}, which only `dagger call` can create.")


def _number(flag: Flag, word: str) -> Any:
    if (number := parse_number(word, flag.kind)) is None:
        what = "a whole number such as 30" if flag.kind is int else "a number such as 0.5"
        raise UsageError(f'--{flag.name} takes {what}, not "{word}".')
    return number


def _member(flag: Flag, kind: type[enum.Enum], word: str) -> enum.Enum:
    members = {member.name.lower(): member for member in kind}
    if word.lower() not in members:
        raise UsageError(f'--{flag.name} takes one of {", ".join(members)}, not "{word}".')
    return members[word.lower()]


def _path(flag: Flag, word: str, is_right: Any, what: str) -> str:
    # An engine started elsewhere has another working directory.
    path = Path(word.removeprefix("file://"))
    with contextlib.suppress(RuntimeError):  # ~NAME without such a user is an ordinary file name
        path = path.expanduser()
    path = path.absolute()
    if not is_right(path):
        raise UsageError(f'--{flag.name} takes the path of a {what}, and "{word}" is not one.')
    return str(path)


def _secret(flag: Flag, word: str) -> dagger.Secret:
    scheme, separator, place = word.partition("://")
    if not separator or scheme not in ("env", "file"):
        # The word may be the secret itself, so no message repeats it.
        raise UsageError(f"--{flag.name} takes a secret as env://NAME or file://PATH, never as plain text.")
    if scheme == "env" and place not in os.environ:
        raise UsageError(f"--{flag.name}: the environment variable {place} is not set.")
    if scheme == "env":
        return dag.secret(word)
    return dag.secret(f"file://{_path(flag, word, Path.is_file, 'file')}")
