"""Overlay mounts of the store's layers."""

import contextlib
import errno
import os
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path

from embedded_engine.host import syscalls
from embedded_engine.host.errors import BadInput, StoreUnusable
from embedded_engine.host.namespace import in_user_namespace
from embedded_engine.store.store import Store

#: Layers must hold whole files under their own names, because each is packed by itself. A step's fsyncs are pointless,
#: because its result is synchronised and renamed when it is finished.
OPTIONS = "index=off,metacopy=off,xino=off"
WRITABLE = "volatile"
#: The root of a user namespace may not write trusted attributes. With userxattr, the kernel accepts no redirect_dir
#: except nofollow (Documentation/filesystems/overlayfs.rst).
AS_ROOT = "redirect_dir=off"
AS_USER = "userxattr,redirect_dir=nofollow"
#: OVL_MAX_STACK of Linux: fs/overlayfs/params.h
MOST_LAYERS = 500
#: Where the name of an open directory is its number. All options of a mount share one page: mount(2).
SHORT_NAMES = Path("/proc/self/fd")


def mount(store: Store, lower: Sequence[Path], at: Path, *, scratch: Path | None = None) -> None:
    """Mount layers over each other.

    Args:
        store: the store of the layers.
        lower: the directories, the lowest first.
        at: the mount point.
        scratch: the directory for `diff`, the changes, and `work`; without it, the mount is read-only.

    Raises:
        BadInput: there are more layers than Linux can mount.
        StoreUnusable: the kernel or the file system below the store refuses.
    """
    if len(lower) > MOST_LAYERS:
        raise BadInput(
            f"The file system has {len(lower)} layers, but Linux mounts at most {MOST_LAYERS} over each other; "
            "make the same with fewer steps."
        )
    if scratch:
        (scratch / "diff").mkdir(exist_ok=True)
        _copy_root(lower, scratch / "diff")
        (scratch / "work").mkdir()
    at.mkdir(exist_ok=True)
    # The engine itself reads a read-only mount, with all of its rights, so no file may be a device of this machine.
    flags = 0 if scratch else syscalls.NODEV
    try:
        with contextlib.ExitStack() as stack:
            options = _options(partial(_opened, stack), store.root / "empty", lower, scratch)
            # Not in the background: it takes no time, and a cancellation in between would leave the mount behind.
            _mounter().submit(syscalls.mount, "overlay", at, options, flags).result()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE):
            raise
        remedy = "see that Linux is 5.11 or newer, or run as root" if in_user_namespace() else "run as root"
        raise StoreUnusable(
            f"An overlay file system cannot be mounted on {store.root}: {error.strerror}; "
            f"{remedy}, and choose a store on ext4, xfs or btrfs."
        ) from error


def _options(name: Callable[[Path], str], empty: Path, lower: Sequence[Path], scratch: Path | None) -> str:
    # The kernel needs one layer below changes, and two without changes.
    layers = [*lower[::-1], *[empty] * ((1 if scratch else 2) - len(lower))]
    options = [f"lowerdir={':'.join(map(name, layers))}", OPTIONS, marks()]
    if scratch:
        options += [f"upperdir={name(scratch / 'diff')}", f"workdir={name(scratch / 'work')}", WRITABLE]
    return ",".join(options)


def _opened(stack: contextlib.ExitStack, path: Path) -> str:
    descriptor = os.open(path, os.O_PATH | os.O_DIRECTORY)
    stack.callback(os.close, descriptor)
    return str(descriptor)


def _copy_root(lower: Sequence[Path], diff: Path) -> None:
    """Copy the attributes of the lower root directory, because a container sees those of the upper one."""
    if lower:
        status = lower[-1].stat()
        os.chown(diff, status.st_uid, status.st_gid)
        shutil.copystat(lower[-1], diff)


@cache
def _mounter() -> ThreadPoolExecutor:
    """Return a thread that works where the names are short."""
    return ThreadPoolExecutor(1, "mount", syscalls.own_working_directory, (SHORT_NAMES,))


def marks() -> str:
    """Return the mount option for the marks of whiteouts and opaque directories."""
    return AS_USER if in_user_namespace() else AS_ROOT


def unmount(at: Path) -> None:
    """Unmount a directory if it is mounted, even if a step left files open."""
    with contextlib.suppress(OSError):
        syscalls.unmount(at)


@contextlib.asynccontextmanager
async def writable(store: Store, lower: Sequence[Path], scratch: Path) -> AsyncIterator[Path]:
    """Mount layers writable for the duration of a block.

    Args:
        store: the store of the layers.
        lower: the directories, the lowest first.
        scratch: the directory that receives the changes in `diff`; its `work` and `merged` are removed.
    """
    at = scratch / "merged"
    mount(store, lower, at, scratch=scratch)
    try:
        yield at
    finally:
        unmount(at)
        with contextlib.suppress(OSError):
            at.rmdir()
        shutil.rmtree(scratch / "work", ignore_errors=True)
