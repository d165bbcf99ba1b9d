"""Selects paths of a tree by include and exclude patterns, .gitignore files, and globs.

Patterns follow .dockerignore, as in Dagger: https://github.com/moby/patternmatcher. A pattern that matches a directory
matches everything below it; `**` crosses directories; `!` reverts an earlier pattern.
"""

import os
import posixpath
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pathspec

from embedded_engine.host.beneath import read_small
from embedded_engine.host.errors import BadInput
from embedded_engine.host.rootpath import resolve

#: The largest .gitignore file in bytes.
LARGEST_GITIGNORE = 1 << 20


@dataclass(frozen=True)
class Selection:
    """The selected part of a tree.

    Args:
        include: the patterns of paths to include; empty for all.
        exclude: the patterns of paths to exclude from those.
        gitignore: whether to obey the tree's .gitignore files.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    gitignore: bool = False

    @classmethod
    def of(cls, include: Sequence[str] | None, exclude: Sequence[str] | None, gitignore: bool) -> "Selection":
        """Return the selection that a field's arguments describe."""
        return cls(tuple(include or ()), tuple(exclude or ()), gitignore)

    def paths(self, root: Path) -> frozenset[str] | None:
        """Return the selected paths below a directory, with their parent directories; None for all.

        Raises:
            BadInput: a pattern is malformed.
        """
        if self == EVERYTHING:
            return None
        included, excluded = Patterns(self.include), Patterns(self.exclude)
        taken: set[str] = set()
        for path in _walk(root, self.gitignore):
            if (self.include and not included.match(path)) or excluded.match(path):
                continue
            while path and path not in taken:
                taken.add(path)
                path = posixpath.dirname(path)
        return frozenset(taken)


#: The whole tree.
EVERYTHING = Selection()


class Patterns:
    """A list of patterns; the last one that matches a path or a directory above it wins."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._rules = [(expression(_clean(one)), not one.strip().startswith("!")) for one in patterns if one.strip()]

    def match(self, path: str) -> bool:
        """Return whether the patterns match a path."""
        meant = False
        for rule, positive in self._rules:
            if meant != positive and any(rule.fullmatch(each) for each in _with_parents(path)):
                meant = positive
        return meant


def glob(root: Path, pattern: str) -> list[str]:
    """Return the paths below a directory that match a pattern, sorted; a directory ends with a slash.

    Raises:
        BadInput: the pattern is malformed.
    """
    rule = expression(_clean(pattern))
    found = [path for path in _walk(root, gitignore=False) if rule.fullmatch(path)]
    return sorted(f"{path}/" if stat.S_ISDIR((root / path).lstat().st_mode) else path for path in found)


def matching(root: Path, path: str) -> list[str]:
    """Return the paths of a container that match a path with wildcards; without wildcards, the path itself.

    A wildcard matches within one name, as in https://pkg.go.dev/path/filepath#Match.

    Raises:
        BadInput: the pattern is malformed.
    """
    if not any(sign in path for sign in "*?["):
        return [path]
    found = [""]
    for part in path.strip("/").split("/"):
        if any(sign in part for sign in "*?["):
            rule = expression(part)
            found = [f"{at}/{name}" for at in found for name in _names(root, at) if rule.fullmatch(name)]
        else:
            found = [f"{at}/{part}" for at in found]
    return found


def _names(root: Path, path: str) -> list[str]:
    directory = resolve(root, path)
    return sorted(entry.name for entry in directory.iterdir()) if directory.is_dir() else []


def expression(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of one pattern.

    Raises:
        BadInput: a character class is not closed, or ends before it begins.
    """
    parts: list[str] = []
    rest = pattern
    while rest:
        part, rest = _next(rest, pattern)
        parts.append(part)
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error as error:
        raise BadInput(f"The pattern '{pattern}' cannot be read ({error.msg}); write a range as [a-z].") from None


def _next(rest: str, whole: str) -> tuple[str, str]:
    if rest.startswith("**"):
        after = rest.lstrip("*")
        return ("(?:.*/)?", after[1:]) if after.startswith("/") else (".*", after)
    first = rest[0]
    if first in "*?":
        return "[^/]*" if first == "*" else "[^/]", rest[1:]
    if first == "\\" and len(rest) > 1:
        return re.escape(rest[1]), rest[2:]
    if first == "[":
        inside, closed, after = rest[1:].partition("]")
        if not (closed and inside.lstrip("^!")):
            raise BadInput(f"The pattern '{whole}' has a '[' that is not closed; write it as [abc] or as \\[.")
        negated = inside[0] in "^!"
        text = inside[negated:].replace("\\", "\\\\").replace("[", "\\[")
        return f"[{'^' if negated else ''}{text}]", after
    return re.escape(first), rest[1:]


def _clean(pattern: str) -> str:
    text = pattern.strip().removeprefix("!").strip()
    return "/".join(part for part in text.split("/") if part not in ("", ".")) or "**"


def _with_parents(path: str) -> Iterator[str]:
    while path:
        yield path
        path = posixpath.dirname(path)


def _walk(root: Path, gitignore: bool) -> Iterator[str]:
    """Yield the paths below a directory, parents first, except those that the tree's .gitignore files exclude."""
    pending: list[tuple[str, tuple[tuple[str, pathspec.GitIgnoreSpec], ...]]] = [("", ())]
    while pending:
        above, ignores = pending.pop()
        entries = sorted(os.scandir(root / above), key=lambda entry: entry.name)
        if gitignore and any(entry.name == ".gitignore" and entry.is_file(follow_symlinks=False) for entry in entries):
            text = read_small(root / above, ".gitignore", LARGEST_GITIGNORE).decode(errors="replace")
            lines = text.splitlines()
            ignores = (*ignores, (above, pathspec.GitIgnoreSpec.from_lines(filter(_is_pattern, lines))))
        for entry in entries:
            path = posixpath.join(above, entry.name)
            is_directory = entry.is_dir(follow_symlinks=False)
            if gitignore and (entry.name == ".git" or _ignored(ignores, f"{path}/" if is_directory else path)):
                continue
            yield path
            if is_directory:
                pending.append((path, ignores))


def _is_pattern(line: str) -> bool:
    """Return whether a line of a .gitignore file is a pattern; git ignores all others."""
    try:
        pathspec.GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True


def _ignored(ignores: Iterable[tuple[str, pathspec.GitIgnoreSpec]], path: str) -> bool:
    ignored = False
    for above, spec in ignores:
        found = spec.check_file(path.removeprefix(f"{above}/" if above else "")).include
        ignored = ignored if found is None else found
    return ignored
