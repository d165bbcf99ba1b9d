"""Describes a directory of the store without reading its files."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from embedded_engine.host.rootpath import short


@dataclass(frozen=True)
class Survey:
    """The state of a tree.

    Args:
        size: the size in bytes on the disk.
        facts: the hexadecimal SHA-256 of the names, modes, sizes and times of everything in it.
    """

    size: int
    facts: str


def survey(root: Path) -> Survey:
    """Walk a snapshot's directory, without its records (*.json); 10 000 files take about 50 ms."""
    with short(root) as name:
        return _survey(os.fsencode(name))


def _survey(top: bytes) -> Survey:
    found, size = hashlib.sha256(), 0
    linked: set[int] = set()
    pending = [top]
    while pending:
        directory = pending.pop()
        found.update(directory[len(top) :] + b"\n")
        with os.scandir(directory) as listed:
            entries = sorted(listed, key=_name)
        if directory == top:
            entries = [entry for entry in entries if not entry.name.endswith(b".json")]
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            found.update(_line(entry.name, status))
            if stat.S_ISDIR(status.st_mode):
                pending.append(entry.path)
            elif status.st_nlink > 1:
                if status.st_ino in linked:
                    continue
                linked.add(status.st_ino)
            size += status.st_blocks * 512
    return Survey(size, found.hexdigest())


def _name(entry: "os.DirEntry[bytes]") -> bytes:
    return entry.name


def _line(name: bytes, status: os.stat_result) -> bytes:
    size = 0 if stat.S_ISDIR(status.st_mode) else status.st_size
    return b"%b\0%o %d %d\n" % (name, status.st_mode, size, status.st_mtime_ns)


def file_digest(path: Path) -> str:
    """Return `sha256:…` of a file's content."""
    with path.open("rb") as stream:
        return stream_digest(stream)


def stream_digest(stream: IO[bytes]) -> str:
    """Return `sha256:…` of the rest of a stream."""
    found = hashlib.sha256()
    while chunk := stream.read(1 << 20):
        found.update(chunk)
    return f"sha256:{found.hexdigest()}"
