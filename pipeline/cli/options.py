"""The flags that belong to the command line itself; they may stand anywhere."""

import argparse
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pipeline.errors import UserError


class UsageError(UserError):
    """The words of the command line make no call."""


class Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of ending the process."""

    def __init__(self) -> None:
        super().__init__(prog="ska-images", add_help=False, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Raise what argparse found.

        Args:
            message: argparse's words, such as `argument --store: expected one argument`.
        """
        raise UsageError(f"{message}; see `ska-images --help`.")


@dataclass(frozen=True)
class Options:
    """The command line's own flags."""

    output: Path | None
    json: bool
    progress: str
    engine: str
    store: Path | None
    help: bool
    version: bool


MAX_PORT = 65_535
BUILD_ALL = "build-all"
#: build-all exports there when --output does not say otherwise.
DIST = Path("dist")
#: build-all's report, in that directory.
REPORT = "build-report.json"
VERSION = "--version"
#: Flag, value's name, help: what `--help` shows and what the parser knows.
FLAGS = (
    ("-o, --output", "PATH", "Write the result there: an archive, a directory, a file or text."),
    ("-j, --json", "", "Print the result as JSON."),
    ("--progress", "auto|plain|tty", "How to show the steps. auto: tty on a terminal, else plain."),
    ("--engine", "auto|embedded|dagger", "What runs them. auto: the session of `dagger run`, else embedded."),
    ("--store", "DIR", "Where the embedded engine keeps what it has built."),
    ("-h, --help", "", "Show this, or the help of a function."),
    (VERSION, "", "Alone: show the version of this program."),
)


def split_options(argv: list[str]) -> tuple[Options, list[str]]:
    """Take the command line's own flags out of the words.

    Args:
        argv: the words after the program's name.

    Returns:
        The options, and the other words in their order.

    Raises:
        UsageError: a value is missing or not one of those that the flag takes, or a word is not UTF-8.
    """
    for word in argv:
        _require_text(word)
    parser = Parser()
    for names, value, _ in FLAGS:
        if names == VERSION:
            continue
        if value:
            choices = value.split("|") if "|" in value else None
            parser.add_argument(*names.split(", "), choices=choices, default=choices and "auto")
        else:
            parser.add_argument(*names.split(", "), action="store_true")
    known, words = parser.parse_known_args(argv)
    fields = vars(known)
    for name in ("output", "store"):
        if fields[name] == "":
            raise UsageError(f"--{name} is empty; give a path, or leave the flag out.")
        fields[name] = fields[name] and Path(fields[name])
    # With a value it is the constructor's: the version of the images.
    return Options(**fields, version=argv == [VERSION]), words


def _require_text(word: str) -> None:
    # Python keeps the bytes of other encodings as surrogates, which neither JSON nor an image's labels can hold.
    if any("\ud800" <= character <= "\udfff" for character in word):
        raise UsageError(f"the argument {os.fsencode(word)!r} is not UTF-8; write it in UTF-8.")


def debugging() -> bool:
    """Tell whether the user asked for tracebacks and logs with SKA_DEBUG."""
    return os.environ.get("SKA_DEBUG", "") not in ("", "0")


def in_ci_job() -> bool:
    """Tell whether a CI system runs this: GitLab and most others set CI to true."""
    return os.environ.get("CI", "").lower() not in ("", "false")


def session_in_environment() -> bool:
    """Tell whether an engine's session is given by the environment, as `dagger run` does.

    Raises:
        UsageError: half of one is given, or a port that is no port.
    """
    port = os.environ.get("DAGGER_SESSION_PORT")
    if not port:
        return False
    if not re.fullmatch(r"[1-9][0-9]{0,4}", port) or int(port) > MAX_PORT:
        raise UsageError(f"DAGGER_SESSION_PORT is {port!r} and not a port; unset it, or use `dagger run`.")
    if not os.environ.get("DAGGER_SESSION_TOKEN"):
        raise UsageError("DAGGER_SESSION_PORT is set and DAGGER_SESSION_TOKEN is not; set both, or neither.")
    return True
