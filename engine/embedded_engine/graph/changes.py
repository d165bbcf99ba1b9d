"""The operations that change files without running anything, as values."""

from dataclasses import dataclass

from embedded_engine.graph.nodes import Change, Node
from embedded_engine.graph.patterns import EVERYTHING, Selection


@dataclass(frozen=True)
class NewFile(Change):
    """A file with given text."""

    path: str
    contents: str
    mode: int
    owner: str = ""


@dataclass(frozen=True)
class NewDirectory(Change):
    """An empty directory."""

    path: str
    mode: int


@dataclass(frozen=True)
class Copy(Change):
    """A file or a directory's contents copied from another node.

    Args:
        path: where the file goes, or the directory that receives the contents.
        source: the node copied from.
        source_path: a file or directory in it.
        mode: permission bits for the file, if they change.
        owner: `user[:group]`; empty keeps the source's.
        users: whose names of users and groups are meant, if not those of what it is copied into.
        selection: what is taken of a directory.
        time: seconds since 1970 that all of it is dated with, if it is.
    """

    path: str
    source: Node
    source_path: str
    mode: int | None = None
    owner: str = ""
    selection: Selection = EVERYTHING
    time: int | None = None
    users: Node | None = None


@dataclass(frozen=True)
class Chown(Change):
    """A file, or a directory with all that it holds, given to another owner, `user[:group]`."""

    path: str
    owner: str


@dataclass(frozen=True)
class Remove(Change):
    """Files or directories taken away; a missing one is not an error."""

    paths: tuple[str, ...]


@dataclass(frozen=True)
class Symlink(Change):
    """A symbolic link."""

    target: str
    path: str
