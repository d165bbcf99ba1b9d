"""Locks between processes: single bytes of one file, so that a lock needs no file of its own.

They belong to an open file, and the kernel frees them when that is closed, however its process ends: fcntl(2),
"Open file description locks".
"""

import fcntl
import hashlib
import os
import struct
from pathlib import Path


class Locks:
    """One open file of locks; two of them are strangers to each other, in one process too.

    Args:
        path: the file, made if it is not there.

    Attributes:
        descriptor: of that file; a process that inherits it holds the same locks.
    """

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)

    def close(self) -> None:
        """Free what is held."""
        os.close(self.descriptor)

    def share(self, name: str) -> None:
        """Hold a name beside others that share it; waits for one that has it alone."""
        fcntl.fcntl(self.descriptor, fcntl.F_OFD_SETLKW, _request(fcntl.F_RDLCK, name))

    def take(self, name: str) -> bool:
        """Hold a name alone; False if somebody else holds it."""
        try:
            fcntl.fcntl(self.descriptor, fcntl.F_OFD_SETLK, _request(fcntl.F_WRLCK, name))
        except (BlockingIOError, PermissionError):  # either, by POSIX
            return False
        return True

    def free(self, name: str) -> None:
        """Hold a name no longer."""
        fcntl.fcntl(self.descriptor, fcntl.F_OFD_SETLK, _request(fcntl.F_UNLCK, name))


def _request(kind: int, name: str) -> bytes:
    """Return a `struct flock` for the byte that stands for a name."""
    place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:7], "big")
    return struct.pack("@hhqqi4x", kind, os.SEEK_SET, place, 1, 0)
