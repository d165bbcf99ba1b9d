"""What is said when nothing more can be written."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from embedded_engine.host.errors import DiskFull, StoreUnusable, UserError

#: The file system is full, or the user's share of it.
FULL = (errno.ENOSPC, errno.EDQUOT)


#: With fewer bytes free than this, a program that says so has failed for want of space in the store.
LITTLE = 256 << 20


def unwritable(root: Path, error: OSError) -> UserError:
    """Return the sentence for a store that cannot be written."""
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


def want_of_space(where: Path, said: str) -> DiskFull | None:
    """Return the error for a program that failed because no space was left.

    Args:
        where: the store; the program may mean a small file system of its own.
        said: what the program printed.
    """
    free = os.statvfs(where)
    if os.strerror(errno.ENOSPC) in said and free.f_bavail * free.f_frsize < LITTLE:
        return _full(where)
    return None
