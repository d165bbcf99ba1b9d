"""Changes to a tree, as plain tuples ("mkdir", b"a/b", 0o755): made by a process that has the tree as its root.

What the kernel refuses (a file below a file, a rename between layers, a device in a user namespace) changes nothing,
as in a shell script that goes on.
"""

import contextlib
import os
import shutil
import socket
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Change = tuple[Any, ...]

_OPEN = os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC


def _open(path: bytes, flags: int = 0) -> int:
    """Open a file for writing, and never a device: its number may be one of this machine."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise FileExistsError(path)
    return os.open(path, _OPEN | flags, 0o644)


def _write(path: bytes, content: bytes, *, offset: int = 0, flags: int = os.O_TRUNC) -> None:
    descriptor = _open(path, flags)
    try:
        os.pwrite(descriptor, content, offset)
    finally:
        os.close(descriptor)


def _resize(path: bytes, size: int) -> None:
    descriptor = _open(path)
    try:
        os.truncate(descriptor, size)
    finally:
        os.close(descriptor)


def _remove(path: bytes) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def _socket(path: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)


#: What makes something where nothing is.
MAKERS: dict[str, Callable[..., object]] = {
    "mkdir": os.mkdir,
    "write": _write,
    "symlink": lambda path, target: os.symlink(target, path),
    "link": lambda path, target: os.link(target, path, follow_symlinks=False),
    "mkfifo": os.mkfifo,
    "mknod": lambda path, mode, major, minor: os.mknod(path, mode, os.makedev(major, minor)),
    "socket": _socket,
}
CHANGES: dict[str, Callable[..., object]] = {
    **MAKERS,
    "append": lambda path, content: _write(path, content, flags=os.O_APPEND),
    "patch": lambda path, content, offset: _write(path, content, offset=offset, flags=0),
    "resize": _resize,
    "remove": _remove,
    "rename": lambda path, source: os.rename(source, path),
    "chmod": os.chmod,
    "chown": lambda path, uid, gid: os.chown(path, uid, gid, follow_symlinks=False),
    "touch": lambda path, time: os.utime(path, ns=(time, time), follow_symlinks=False),
    "setxattr": lambda path, key, value: os.setxattr(path, key, value, follow_symlinks=False),
    "removexattr": lambda path, key: os.removexattr(path, key, follow_symlinks=False),
}


def change(root: Path, changes: Sequence[Change]) -> None:
    """Make changes to a tree, as a container's process would: nothing outside it can be named.

    Raises:
        AssertionError: a change is not one of those above.
    """
    child = os.fork()
    if child == 0:
        try:
            os.chroot(root)
            os.chdir("/")
            os.umask(0o022)
            for name, *arguments in changes:
                if name == "replace":
                    with contextlib.suppress(OSError):
                        _remove(arguments[1])
                    name, *arguments = arguments
                with contextlib.suppress(OSError):
                    CHANGES[name](*arguments)
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert status == 0, f"the changes could not be made: {changes!r}"
