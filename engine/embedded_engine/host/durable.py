"""Synchronises files to the disk before they get their names, so that a named file is complete even after a crash.

Sources: fsync(2), syncfs(2); https://lwn.net/Articles/457667 says why a directory is synchronised besides its files.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from embedded_engine.host import syscalls
from embedded_engine.host.rootpath import short

#: A tree of more files is synchronised by one syncfs, which waits for all writes of the file system.
FEW = 64


def sync(path: Path) -> None:
    """Synchronise a regular file or a directory to the disk.

    Raises:
        OSError: synchronising failed, for example because no space is left.
    """
    _sync(os.fsencode(path))


def sync_tree(root: Path) -> None:
    """Synchronise a directory and everything below it to the disk.

    Raises:
        OSError: synchronising failed, for example because no space is left.
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
    """Write a file and synchronise it to the disk."""
    with path.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _files(top: bytes) -> Iterator[bytes]:
    """Yield the directories and regular files of a tree, each directory before its content."""
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
