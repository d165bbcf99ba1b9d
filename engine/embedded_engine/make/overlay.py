"""Overlay mounts of the store's layers."""

import contextlib
import errno
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from embedded_engine.host import syscalls
from embedded_engine.host.errors import StoreUnusable
from embedded_engine.host.namespace import in_user_namespace
from embedded_engine.store.store import Store

#: Layers must hold whole files under their own names, for they are packed by themselves; and a step's fsyncs
#: are pointless, since its result counts only once it is finished and renamed.
OPTIONS = "index=off,metacopy=off,xino=off"
WRITABLE = "volatile"
#: Where its marks are: a user namespace's root may not write trusted attributes. With userxattr the kernel takes no
#: redirect_dir but nofollow (Documentation/filesystems/overlayfs.rst).
AS_ROOT = "redirect_dir=off"
AS_USER = "userxattr,redirect_dir=nofollow"


def mount(store: Store, lower: Sequence[Path], at: Path, *, scratch: Path | None = None) -> None:
    """Mount layers over each other.

    Args:
        store: whose layers they are.
        lower: directories, the lowest first.
        at: the mount point.
        scratch: takes `diff`, the changes, and `work`; without it the mount is read-only.

    Raises:
        StoreUnusable: the kernel or the file system below the store refuses.
    """
    # Relative names keep the list below the one page that mount(2) takes, and the store's own commas out of it.
    names = [str(path.relative_to(store.root)) for path in [*lower[::-1], store.root / "empty"]]
    options = [f"lowerdir={':'.join(names)}", OPTIONS, marks()]
    if scratch:
        (scratch / "diff").mkdir(exist_ok=True)
        _copy_root(lower, scratch / "diff")
        (scratch / "work").mkdir()
        within = scratch.relative_to(store.root)
        options += [f"upperdir={within / 'diff'}", f"workdir={within / 'work'}", WRITABLE]
    if not lower and not scratch:
        options[0] += ":empty"
    at.mkdir(exist_ok=True)
    # What is read-only the engine itself reads, with all its rights: no file may lead to a device of this machine.
    flags = 0 if scratch else syscalls.NODEV
    try:
        # Waited for, since it is done at once; whoever is cancelled meanwhile would leave the mount behind.
        _thread_in(store.root).submit(syscalls.mount, "overlay", at, ",".join(options), flags).result()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        remedy = "see that Linux is 5.11 or newer, or run as root" if in_user_namespace() else "run as root"
        raise StoreUnusable(
            f"An overlay file system cannot be mounted on {store.root}: {error.strerror}; "
            f"{remedy}, and choose a store on ext4, xfs or btrfs."
        ) from error


def _copy_root(lower: Sequence[Path], diff: Path) -> None:
    """Give the changes the root directory of what they are made to: the upper one's is what a container sees."""
    if lower:
        status = lower[-1].stat()
        os.chown(diff, status.st_uid, status.st_gid)
        shutil.copystat(lower[-1], diff)


@cache
def _thread_in(directory: Path) -> ThreadPoolExecutor:
    """Return a thread with a working directory of its own, which relative names start from."""
    return ThreadPoolExecutor(1, "mount", syscalls.own_working_directory, (directory,))


def marks() -> str:
    """Return the mount option that says how whiteouts and opaque directories are marked."""
    return AS_USER if in_user_namespace() else AS_ROOT


def unmount(at: Path) -> None:
    """Take a mount down, if it is up; a step's forgotten file handles do not keep it."""
    with contextlib.suppress(OSError):
        syscalls.unmount(at)


@contextlib.asynccontextmanager
async def writable(store: Store, lower: Sequence[Path], scratch: Path) -> AsyncIterator[Path]:
    """Mount layers with room for changes for the time of a block.

    Args:
        store: whose layers they are.
        lower: directories, the lowest first.
        scratch: receives the changes below `diff`; `work` and `merged` in it are gone afterwards.
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
