"""Errors of a full or read-only disk."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from embedded_engine.host.errors import DiskFull, StoreUnusable, UserError

#: The file system or the user's quota is full.
FULL = (errno.ENOSPC, errno.EDQUOT)


#: If fewer bytes are free, a program's message about space is about the store.
LITTLE = 256 << 20


def unwritable(root: Path, error: OSError) -> UserError:
    """Return the sentence about a store that is not writable."""
    if error.errno in FULL:
        return _full(root)
    return StoreUnusable(f"The store {root} cannot be written: {error.strerror}; choose another directory.")


def _full(where: Path) -> DiskFull:
    return DiskFull(f"No space is left in {where}; free some, or choose another place, and run again.")


@contextlib.contextmanager
def disk_full_told(where: Path) -> Iterator[None]:
    """Turn "no space left" into one sentence that names the directory.

    Raises:
        DiskFull: the file system or the quota is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise _full(where) from error


def want_of_space(where: Path, output: str) -> DiskFull | None:
    """Return the error of a program that failed because no space was left.

    Args:
        where: the store; the program may also mean another, small file system.
        output: the program's output.
    """
    free = os.statvfs(where)
    if os.strerror(errno.ENOSPC) in output and free.f_bavail * free.f_frsize < LITTLE:
        return _full(where)
    return None
