"""Looks up a path of a file system."""

import posixpath
import stat
from pathlib import Path

from embedded_engine.api.fields import Engine
from embedded_engine.graph.nodes import Node
from embedded_engine.graph.values import Directory, File, Stat
from embedded_engine.host.errors import BadInput
from embedded_engine.host.rootpath import resolve


async def at_path(engine: Engine, this: Directory | File, path: str = "") -> Path:
    """Return the path on the host of a directory, of a path in it, or of a file.

    Raises:
        BadInput: nothing exists there, or a file instead of a directory, or a directory instead of a file.
    """
    where = this.at(path) if isinstance(this, Directory) else this.path
    found = resolve(await engine.evaluator.view(this.root), where)
    if not found.exists():
        raise BadInput(f"There is no '{where}'; name a file or a directory that exists.")
    if found.is_dir() != isinstance(this, Directory):
        raise BadInput(f"'{where}' is {'a' if found.is_dir() else 'not a'} directory; name what is meant.")
    if isinstance(this, File) and not found.is_file():
        raise BadInput(f"'{where}' is not a regular file, so reading it could wait forever; name a regular file.")
    return found


async def exists_at(engine: Engine, node: Node, path: str, expected_type: str | None, follow: bool) -> bool:
    """Return whether a path exists and has the expected type, if one is given."""
    follow = follow and expected_type != "SYMLINK_TYPE"
    at = resolve(await engine.evaluator.view(node), path, follow=follow)
    try:
        mode = at.lstat().st_mode
    except OSError:
        return False
    kinds = {"REGULAR_TYPE": stat.S_ISREG, "DIRECTORY_TYPE": stat.S_ISDIR, "SYMLINK_TYPE": stat.S_ISLNK}
    return expected_type is None or kinds[expected_type](mode)


async def stat_at(engine: Engine, node: Node, path: str, follow: bool = True) -> Stat:
    """Return the status of the file at a path.

    Raises:
        BadInput: nothing exists there.
    """
    root = await engine.evaluator.view(node)
    at = resolve(root, path, follow=follow)
    try:
        found = at.lstat()
    except OSError:
        raise BadInput(f"There is no '{path}'; name a file or a directory that exists.") from None
    # Like Go's fs.FileMode.Perm, without setuid, setgid and sticky (core/directory.go, Stat).
    permissions = found.st_mode & 0o777
    kinds = {stat.S_IFREG: "REGULAR", stat.S_IFDIR: "DIRECTORY", stat.S_IFLNK: "SYMLINK"}
    kind = kinds.get(stat.S_IFMT(found.st_mode), "UNKNOWN")
    name = posixpath.basename(path) if at == root else at.name
    return Stat(name, found.st_size, permissions, kind)


def mode_of(permissions: int, default: int) -> int:
    """Return the mode of a new file or directory, without setuid, setgid and sticky bits, as in Go's os.OpenFile.

    Args:
        permissions: the requested permission bits; 0 for the default.
        default: the default permission bits.
    """
    return permissions & 0o777 if permissions else default
