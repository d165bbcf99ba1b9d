"""Calls of the kernel that Python has no names for."""

import ctypes
import os
from pathlib import Path

#: sys/mount.h
NODEV = 4
_DETACH = 2
#: sched.h
_CLONE_FS = 0x200

_libc = ctypes.CDLL(None, use_errno=True)


def mount(kind: str, at: Path, options: str, flags: int = 0) -> None:
    """Mount a file system: mount(2). A process for each mount would take ten times as long.

    Args:
        kind: overlay or tmpfs.
        at: the mount point.
        options: separated by commas; relative paths in them are looked up from the thread's working directory.
        flags: NODEV, or none.

    Raises:
        OSError: the kernel refuses.
    """
    name = kind.encode()
    _checked(_libc.mount(name, os.fsencode(at), name, ctypes.c_ulong(flags), os.fsencode(options)), at)


def unmount(at: Path) -> None:
    """Take a mount out of the tree of files at once, and down when its last user has gone: umount2(2).

    Raises:
        OSError: nothing is mounted there.
    """
    _checked(_libc.umount2(os.fsencode(at), _DETACH), at)


def syncfs(path: Path) -> None:
    """Write all that the file system of a directory has not written yet to its disk: syncfs(2).

    Raises:
        OSError: that failed.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _checked(_libc.syncfs(descriptor), path)
    finally:
        os.close(descriptor)


def own_working_directory(path: Path) -> None:
    """Give the calling thread a working directory of its own: unshare(2).

    Raises:
        OSError: there is no such directory.
    """
    _checked(_libc.unshare(_CLONE_FS), path)
    os.chdir(path)


def _checked(result: int, path: Path) -> None:
    if result:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(path))
