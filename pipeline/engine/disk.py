"""What is said when nothing more can be written."""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from pipeline.engine.errors import DiskFull, NotPermitted, UserError

#: The file system is full, or the user's share of it.
FULL = (errno.ENOSPC, errno.EDQUOT)


def unwritable(root: Path, error: OSError) -> UserError:
    """Return the sentence for a store that cannot be written."""
    if error.errno in FULL:
        return _full(root)
    return NotPermitted(f"The store {root} cannot be written: {error.strerror}; choose another directory with --store.")


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
