"""Holes of sparse files: never read, and left open again where zeros would be written."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

#: Zeros in fewer bytes than that are written: a hole saves whole blocks of the disk.
SMALLEST = 1 << 16
ZEROS = bytes(1 << 20)


def data(descriptor: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield where an open file's content is, as start and end in bytes; all else of it is zeros.

    Args:
        descriptor: the file.
        size: its length in bytes.
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
    """Copy what a file holds, and its holes, to a file that does not exist yet; only its owner may use that.

    Raises:
        FileExistsError: there is something at the target already.
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
    """Write bytes at a place of an open file, but leave long runs of zeros out.

    Args:
        descriptor: the file, which holds nothing there yet; the caller sets its length.
        piece: the bytes.
        offset: where they go, in bytes from the start.
    """
    for start, end in _runs(piece):
        while start < end:
            start += os.pwrite(descriptor, piece[start:end], offset + start)


def _runs(piece: memoryview) -> Iterator[tuple[int, int]]:
    """Yield start and end of what is left of a piece without its long runs of zeros."""
    begin = at = 0
    while at < len(piece):
        block = piece[at : at + SMALLEST]
        if len(block) == SMALLEST and ZEROS.startswith(block):
            yield begin, at
            begin = at + SMALLEST
        at += SMALLEST
    yield begin, len(piece)
