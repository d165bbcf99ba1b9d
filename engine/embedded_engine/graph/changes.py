"""The operations that change files without running anything, as values."""

from dataclasses import dataclass

from embedded_engine.graph.nodes import Change, Node
from embedded_engine.graph.patterns import EVERYTHING, Selection


@dataclass(frozen=True)
class NewFile(Change):
    """A file with the given text."""

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
        path: the path of the file, or of the directory that receives the contents.
        source: the node to copy from.
        source_path: a file or directory in the source.
        mode: permission bits for the file, if they change.
        owner: `user[:group]`; empty keeps the source's owner.
        users: the file system whose users and groups `owner` names, unless it is the target.
        selection: the part of a directory to copy.
        time: the time of all copied files in seconds since 1970, if it changes.
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
    """A change of the owner, `user[:group]`, of a file or of a directory with everything below it."""

    path: str
    owner: str


@dataclass(frozen=True)
class Remove(Change):
    """The removal of files or directories; a missing one is not an error."""

    paths: tuple[str, ...]


@dataclass(frozen=True)
class Symlink(Change):
    """A symbolic link."""

    target: str
    path: str
