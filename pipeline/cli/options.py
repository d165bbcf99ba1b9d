"""The command line's own flags, which may stand anywhere."""

import argparse
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pipeline.errors import UserError


class UsageError(UserError):
    """The words of the command line are not a valid call."""


class Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of ending the process."""

    def __init__(self) -> None:
        super().__init__(prog="ska-images", add_help=False, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Raise a message of argparse.

        Args:
            message: of argparse, such as `argument --store: expected one argument`.
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
#: The default --output of build-all.
DIST = Path("dist")
#: build-all's report, in that directory.
REPORT = "build-report.json"
VERSION = "--version"
#: Flag, name of its value, and help; both `--help` and the parser use them.
FLAGS = (
    ("-o, --output", "PATH", "Write the result there: an archive, a directory, a file or text."),
    ("-j, --json", "", "Print the result as JSON."),
    ("--progress", "auto|plain|tty", "How to show the steps. auto: tty on a terminal, else plain."),
    ("--engine", "auto|embedded|dagger", "The engine. auto: the session of `dagger run`, else embedded."),
    ("--store", "DIR", "The directory of the embedded engine's store."),
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
        UsageError: a value is missing or not allowed, or a word is not UTF-8.
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
    # With a value, --version is the constructor's: the version of the images.
    return Options(**fields, version=argv == [VERSION]), words


def _require_text(word: str) -> None:
    # Python keeps the bytes of other encodings as surrogates, which neither JSON nor an image's labels can hold.
    if any("\ud800" <= character <= "\udfff" for character in word):
        raise UsageError(f"the argument {os.fsencode(word)!r} is not UTF-8; write it in UTF-8.")


def debugging() -> bool:
    """Return whether SKA_DEBUG asks for tracebacks and logs."""
    return os.environ.get("SKA_DEBUG", "") not in ("", "0")


def in_ci_job() -> bool:
    """Return whether a CI system runs this: GitLab and most others set CI to true."""
    return os.environ.get("CI", "").lower() not in ("", "false")


def session_in_environment() -> bool:
    """Return whether the environment names an engine's session, as under `dagger run`.

    Raises:
        UsageError: port or token is missing, or the port is malformed.
    """
    port = os.environ.get("DAGGER_SESSION_PORT")
    if not port:
        return False
    if not re.fullmatch(r"[1-9][0-9]{0,4}", port) or int(port) > MAX_PORT:
        raise UsageError(f"DAGGER_SESSION_PORT is {port!r}, which is not a port; unset it, or use `dagger run`.")
    if not os.environ.get("DAGGER_SESSION_TOKEN"):
        raise UsageError("DAGGER_SESSION_PORT is set without DAGGER_SESSION_TOKEN; set both, or neither.")
    return True
