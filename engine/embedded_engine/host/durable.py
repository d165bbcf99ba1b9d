"""Getting what was written onto the disk before it gets its name, so that a name stands for all of it after a crash.

Sources: fsync(2), syncfs(2); https://lwn.net/Articles/457667 says why a directory is synchronised besides its files.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from embedded_engine.host import syscalls
from embedded_engine.host.rootpath import short

#: A tree of more files is written by one syncfs, which waits for all that the file system has to write.
FEW = 64


def sync(path: Path) -> None:
    """Write a regular file or a directory to the disk.

    Raises:
        OSError: that failed, as with no space left.
    """
    _sync(os.fsencode(path))


def sync_tree(root: Path) -> None:
    """Write a directory and all that is in it to the disk.

    Raises:
        OSError: that failed, as with no space left.
    """
    with short(root) as name:
        found: list[bytes] = []
        for path in _files(os.fsencode(name)):
            found.append(path)
            if len(found) > FEW:
                syscalls.syncfs(root)
                return
        for path in reversed(found):
            _sync(path)


def write_text(path: Path, text: str) -> None:
    """Write a file to the disk."""
    with path.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _files(top: bytes) -> Iterator[bytes]:
    """Yield the directories and the regular files of a tree, each directory before what is in it."""
    pending = [top]
    while pending:
        directory = pending.pop()
        yield directory
        with os.scandir(directory) as entries:
            for entry in entries:
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    pending.append(entry.path)
                elif stat.S_ISREG(mode):
                    yield entry.path


def _sync(path: bytes) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
