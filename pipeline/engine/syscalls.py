"""Calls of the kernel that Python has no names for."""

import ctypes
import errno
import os
from pathlib import Path

#: sys/mount.h
NODEV = 4
_DETACH = 2
#: sched.h
_CLONE_FS = 0x200
_CLONE_NEWNS = 0x20000
_CLONE_NEWNET = 0x40000000
#: The number of keyctl(2) by machine: arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h
_KEYCTL = {"x86_64": 250, "aarch64": 219, "riscv64": 219, "loongarch64": 219, "ppc64le": 271, "s390x": 280}

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


def own_network() -> None:
    """Give the calling thread network and mount namespaces of its own: unshare(2).

    Raises:
        OSError: the kernel refuses.
    """
    _checked(_libc.unshare(_CLONE_NEWNET | _CLONE_NEWNS), Path("/proc/thread-self/ns/net"))


def own_session_keyring() -> bool:
    """Give this process, and what it starts, an empty session keyring: keyctl(2), KEYCTL_JOIN_SESSION_KEYRING.

    Returns:
        False where this process may not use keyrings at all; then nothing that it starts may either.

    Raises:
        OSError: the kernel refuses for another reason.
    """
    number = _KEYCTL.get(os.uname().machine)
    if number is None or _libc.syscall(number, 1, None) >= 0:
        return number is not None
    if ctypes.get_errno() in (errno.EPERM, errno.ENOSYS):
        return False
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), "keyctl")
