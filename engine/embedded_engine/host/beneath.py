"""Opens files of a directory that others may change, so that no link leads out of it.

A path can change between two calls, for example when another step writes to the same cache volume. A directory is
therefore opened once, and everything in it is accessed through its descriptor.

Source: openat2(2), https://man7.org/linux/man-pages/man2/openat2.2.html.
"""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePath

from embedded_engine.host import syscalls
from embedded_engine.host.errors import BadInput

_WITHIN = syscalls.RESOLVE_BENEATH | syscalls.RESOLVE_NO_SYMLINKS
_AS_AFTER_CHROOT = syscalls.RESOLVE_IN_ROOT | syscalls.RESOLVE_NO_MAGICLINKS


@contextlib.contextmanager
def pinned(root: Path, inside: str | PurePath = "") -> Iterator[Path]:
    """Yield a name that leads to a directory below a root for the duration of a block, whatever replaces it.

    Args:
        root: a directory that only the engine can replace.
        inside: a path in it without links, as `rootpath.resolve` returns it.

    Raises:
        OSError: the directory does not exist, or the path has a link.
    """
    descriptor = _opened(root, str(inside) or ".", os.O_PATH | os.O_DIRECTORY, _WITHIN)
    try:
        with name_of(descriptor, root / inside) as name:
            yield name
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def name_of(descriptor: int, known: Path) -> Iterator[Path]:
    """Yield a name of an open file for the duration of a block; errors of the block show the user's name.

    Args:
        descriptor: an open file or directory.
        known: the path that the user knows.
    """
    name = f"/proc/self/fd/{descriptor}"
    try:
        yield Path(name)
    except OSError as error:
        for attribute in ("filename", "filename2"):
            path = os.fsdecode(getattr(error, attribute) or "")
            if path == name or path.startswith(f"{name}/"):
                setattr(error, attribute, f"{known}{path.removeprefix(name)}")
        raise


def is_without_links(root: Path, path: str) -> bool:
    """Return whether a path exists below a root and has no link, with one call for any depth."""
    try:
        os.close(_opened(root, path.strip("/") or ".", os.O_PATH, _WITHIN))
    except OSError:
        return False
    return True


@contextlib.contextmanager
def regular_file(root: Path, path: str) -> Iterator[Path | None]:
    """Yield a name of a container's file for the duration of a block; None if there is no regular file.

    A pipe or a device is not opened, since that could block forever or affect the machine.

    Args:
        root: the container's root directory on the host.
        path: a path inside the container; links are followed as the kernel would after chroot(2).
    """
    try:
        descriptor = _opened(root, path, os.O_PATH, _AS_AFTER_CHROOT)
    except OSError:
        yield None
        return
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            yield None
            return
        with name_of(descriptor, root / path.lstrip("/")) as name:
            yield name
    finally:
        os.close(descriptor)


def read_small(root: Path, path: str, largest: int) -> bytes:
    """Return the content of a container's file; empty if there is no regular file.

    Args:
        root: the container's root directory on the host.
        path: a path inside the container.
        largest: the size limit in bytes.

    Raises:
        BadInput: the file is larger.
    """
    with regular_file(root, path) as file:
        if file is None:
            return b""
        with file.open("rb") as stream:
            content = stream.read(largest + 1)
    if len(content) > largest:
        raise BadInput(f"The file '{path}' has more than {largest} bytes; make it smaller.")
    return content


def remove_tree(directory: Path) -> None:
    """Remove a directory with everything below it, however deep."""
    directories = [directory]
    for each in directories:
        with os.scandir(each) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    directories.append(Path(entry.path))
                else:
                    Path(entry.path).unlink()
    for each in reversed(directories):
        each.rmdir()


def _opened(root: Path, path: str, flags: int, resolve: int) -> int:
    top = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return syscalls.openat2(top, path, flags | os.O_CLOEXEC, resolve)
    finally:
        os.close(top)
