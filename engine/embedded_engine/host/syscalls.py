"""System calls that Python lacks."""

import ctypes
import errno
import os
import struct
from pathlib import Path

from embedded_engine.host.errors import HostMissing

#: sys/mount.h
NODEV = 4
_DETACH = 2
#: sched.h
_CLONE_FS = 0x200
#: linux/openat2.h
RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH, RESOLVE_IN_ROOT = 0x02, 0x04, 0x08, 0x10
#: The number on every architecture except Alpha: include/uapi/asm-generic/unistd.h.
_OPENAT2 = 437
#: How often a path is looked up again because something was renamed at the same time.
_TRIES = 100
_CLONE_NEWNS = 0x20000
_CLONE_NEWNET = 0x40000000
#: The number of keyctl(2) by machine: arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h
_KEYCTL = {"x86_64": 250, "aarch64": 219, "riscv64": 219, "loongarch64": 219, "ppc64le": 271, "s390x": 280}

_libc = ctypes.CDLL(None, use_errno=True)


def mount(kind: str, at: Path, options: str, flags: int = 0) -> None:
    """Mount a file system: mount(2). Running mount(8) would take ten times as long.

    Args:
        kind: overlay or tmpfs.
        at: the mount point.
        options: the options, separated by commas; relative paths start at the thread's working directory.
        flags: NODEV, or none.

    Raises:
        OSError: the kernel refuses.
    """
    name = kind.encode()
    _checked(_libc.mount(name, os.fsencode(at), name, ctypes.c_ulong(flags), os.fsencode(options)), at)


def unmount(at: Path) -> None:
    """Detach a mount from the tree at once; the kernel unmounts it after its last use: umount2(2).

    Raises:
        OSError: nothing is mounted there.
    """
    _checked(_libc.umount2(os.fsencode(at), _DETACH), at)


def syncfs(path: Path) -> None:
    """Synchronise the file system of a directory to its disk: syncfs(2).

    Raises:
        OSError: synchronising failed.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _checked(_libc.syncfs(descriptor), path)
    finally:
        os.close(descriptor)


def own_working_directory(path: Path) -> None:
    """Give the calling thread its own working directory: unshare(2).

    Raises:
        OSError: the directory does not exist.
    """
    _checked(_libc.unshare(_CLONE_FS), path)
    os.chdir(path)


def openat2(directory: int, path: str, flags: int, resolve: int) -> int:
    """Open a file below a directory, and return its descriptor: openat2(2).

    Args:
        directory: an open directory.
        path: the file's path, relative to the directory.
        flags: the flags of open(2), without O_CREAT.
        resolve: the RESOLVE_ flags, which limit where the path may lead.

    Raises:
        OSError: the file does not exist, or the path leads to a forbidden place.
        HostMissing: the kernel is older than Linux 5.6.
    """
    if "\0" in path:
        raise ValueError("embedded null byte")  # as Python's own functions do
    how = struct.pack("=QQQ", flags, 0, resolve)
    for _ in range(_TRIES):
        found: int = _libc.syscall(_OPENAT2, directory, os.fsencode(path), how, ctypes.c_size_t(len(how)))
        if found >= 0:
            return found
        code = ctypes.get_errno()
        if code == errno.ENOSYS:
            raise HostMissing("This machine's kernel lacks openat2(2); run the embedded engine on Linux 5.6 or newer.")
        if code != errno.EAGAIN:  # something was renamed at the same time
            break
    raise OSError(code, os.strerror(code), path)


def _checked(result: int, path: Path) -> None:
    if result:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(path))


def own_network() -> None:
    """Give the calling thread its own network and mount namespaces: unshare(2).

    Raises:
        OSError: the kernel refuses.
    """
    _checked(_libc.unshare(_CLONE_NEWNET | _CLONE_NEWNS), Path("/proc/thread-self/ns/net"))


def own_session_keyring() -> bool:
    """Give this process and its children an empty session keyring: keyctl(2), KEYCTL_JOIN_SESSION_KEYRING.

    Returns:
        False if this process may not use keyrings; then its children may not either.

    Raises:
        OSError: the kernel refuses for another reason.
    """
    number = _KEYCTL.get(os.uname().machine)
    if number is None or _libc.syscall(number, 1, None) >= 0:
        return number is not None
    if ctypes.get_errno() in (errno.EPERM, errno.ENOSYS):
        return False
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), "keyctl")
