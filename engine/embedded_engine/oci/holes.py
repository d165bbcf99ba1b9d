"""Holes of sparse files: never read, and kept instead of writing zeros."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

#: Shorter runs of zeros are written, because a hole saves only whole blocks of the disk.
SMALLEST = 1 << 16
ZEROS = bytes(1 << 20)


def data(descriptor: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges of an open file's data, as start and end in bytes; the rest is zeros.

    Args:
        descriptor: the file.
        size: the file's length in bytes.
    """
    if os.fstat(descriptor).st_blocks * 512 >= size:
        yield 0, size
        return
    end = 0
    while end < size:
        try:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return  # a hole up to its end
        end = min(os.lseek(descriptor, start, os.SEEK_HOLE), size)
        yield start, end


def copy_content(source: Path, target: Path) -> None:
    """Copy a file's data and holes to a new file, which only its owner can access.

    Raises:
        FileExistsError: the target exists.
    """
    with (
        open(source, "rb", buffering=0, opener=_itself) as origin,
        open(target, "xb", buffering=0, opener=_private) as copy,
    ):
        size = os.fstat(origin.fileno()).st_size
        for start, end in data(origin.fileno(), size):
            os.lseek(copy.fileno(), start, os.SEEK_SET)
            while start < end and (sent := os.sendfile(copy.fileno(), origin.fileno(), start, end - start)):
                start += sent
        copy.truncate(size)


def _itself(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def write_sparsely(descriptor: int, piece: memoryview, offset: int) -> None:
    """Write bytes into an open file, without long runs of zeros.

    Args:
        descriptor: the file, which has no data there yet; the caller sets its length.
        piece: the bytes.
        offset: the position in bytes from the start.
    """
    for start, end in _runs(piece):
        while start < end:
            start += os.pwrite(descriptor, piece[start:end], offset + start)


def _runs(piece: memoryview) -> Iterator[tuple[int, int]]:
    """Yield start and end of the parts of a piece between its long runs of zeros."""
    begin = at = 0
    while at < len(piece):
        block = piece[at : at + SMALLEST]
        if len(block) == SMALLEST and ZEROS.startswith(block):
            yield begin, at
            begin = at + SMALLEST
        at += SMALLEST
    yield begin, len(piece)
