"""Resolves paths of a container on the host as the kernel would after chroot(2)."""

import contextlib
import errno
import os
import posixpath
import stat
from collections.abc import Iterator
from pathlib import Path

from embedded_engine.host.beneath import is_without_links, name_of
from embedded_engine.host.errors import BadInput

#: The length limits in bytes: include/uapi/linux/limits.h.
LONGEST_PATH, LONGEST_NAME = 4095, 255
#: The kernel's limit of symbolic links: path_resolution(7), ELOOP.
MAX_SYMLINKS = 40


class SymlinkLoop(BadInput):
    """A path of a container passes through too many symbolic links."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"The path '{path}' passes through more than {MAX_SYMLINKS} symbolic links; "
            "name the file by a path without a loop."
        )


def joined(*parts: str) -> str:
    """Join parts to a path of a container without `.` and `..`.

    Raises:
        BadInput: the path or a name in it is too long for Linux.
    """
    path = posixpath.normpath(posixpath.join(*parts))
    if len(os.fsencode(path)) > LONGEST_PATH or any(len(os.fsencode(name)) > LONGEST_NAME for name in path.split("/")):
        raise _too_long(path)
    return path


def _too_long(path: str) -> BadInput:
    return BadInput(
        f"The path '{path[:40]}…' is too long; Linux allows {LONGEST_PATH} bytes, and {LONGEST_NAME} in a name."
    )


def lies_in(path: str, directory: str) -> bool:
    """Return whether a path of a container is a given directory or below it."""
    return path == directory or path.startswith(f"{directory.rstrip('/')}/")


def resolve(root: Path, path: str, *, follow: bool = True) -> Path:
    """Return the host path of a container's path; it never lies outside the root.

    Args:
        root: the container's root directory on the host.
        path: a path inside the container, absolute or relative to its root; components may be missing.
        follow: whether a symbolic link as the last component is followed.

    Raises:
        SymlinkLoop: the path has more than 40 symbolic links.
        BadInput: links make the path longer than Linux allows.
    """
    pending = path.split("/")[::-1]
    if ".." not in pending and is_without_links(root, path):
        return root.joinpath(*filter(None, reversed(pending)))
    found: list[str] = []
    links = 0
    while pending:
        component = pending.pop()
        if component in ("", "."):
            continue
        if component == "..":
            del found[-1:]
            continue
        target = _link(root, [*found, component]) if follow or any(pending) else None
        if target is None:
            found.append(component)
            if len(found) > LONGEST_PATH // 2:
                raise _too_long(path)
            continue
        links += 1
        if links > MAX_SYMLINKS:
            raise SymlinkLoop(path)
        if target.startswith("/"):
            found.clear()
        pending += target.split("/")[::-1]
    return root.joinpath(*found)


def missing(root: Path, path: str) -> list[Path]:
    """Return the missing parts of a container's path, outermost first.

    Args:
        root: the container's root directory on the host.
        path: a path inside the container; symbolic links are followed inside the root.

    Raises:
        SymlinkLoop: more than 40 symbolic links are on the way.
    """
    absent: list[Path] = []
    at = resolve(root, path)
    while at != root and not os.path.lexists(at):
        absent.append(at)
        at = at.parent
    return absent[::-1]


def mkdirs(root: Path, path: str, mode: int = 0o755, uid: int = 0, gid: int = 0) -> Path:
    """Create a directory of a container with its missing parents, and return its host path.

    Args:
        root: the container's root directory on the host.
        path: the directory inside the container; symbolic links are followed inside the root.
        mode: the permission bits of new directories, whatever the umask.
        uid: the owner of new directories; only root sets it.
        gid: the group of new directories; only root sets it.

    Raises:
        BadInput: a part of the path is not a directory.
        SymlinkLoop: more than 40 symbolic links are on the way.
    """
    directory = resolve(root, path)
    absent = missing(root, path)
    last = absent[0].parent if absent else directory
    if not stat.S_ISDIR(last.lstat().st_mode):
        raise BadInput(
            f"'/{last.relative_to(root)}' is not a directory, so '{path}' cannot be made; name another path."
        )
    for each in absent:
        each.mkdir()
        if os.geteuid() == 0:
            os.chown(each, uid, gid)
        each.chmod(mode)
    return directory


def is_directory(path: Path) -> bool:
    """Return whether a path is a directory itself, and not a link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


@contextlib.contextmanager
def short(root: Path) -> Iterator[Path]:
    """Yield a short name of a directory for the duration of a block.

    Paths of a container can be as long as PATH_MAX, and here they follow the directory's own path.

    Raises:
        BadInput: a path in the block is too long even so.
    """
    descriptor = os.open(root.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with name_of(descriptor, root.parent) as parent:
            yield parent / root.name
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        path = os.fsdecode(error.filename or "").removeprefix(str(root))
        raise BadInput(
            f"A path of {len(os.fsencode(path))} bytes is too long for programs to open, '{path[:40]}…'; "
            "have the step remove it, or use shorter names."
        ) from None
    finally:
        os.close(descriptor)


def walk(root: Path) -> Iterator[Path]:
    """Yield all paths below a directory, each after its parent; links are not followed."""
    pending = [root] if root.is_dir() else []
    while pending:
        for path in pending.pop().iterdir():
            yield path
            if is_directory(path):
                pending.append(path)


def _link(root: Path, components: list[str]) -> str | None:
    try:
        return os.readlink("/".join((os.fspath(root), *components)))  # noqa: PTH115  hot: no Path objects
    except OSError:  # missing, or not a symbolic link
        return None
