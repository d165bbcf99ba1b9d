"""Locks between processes: each is a byte of one file, so no lock needs its own file.

Locks belong to an open file, and the kernel releases them when the file is closed, however its process ends: fcntl(2),
"Open file description locks".
"""

import fcntl
import hashlib
import os
import struct
from pathlib import Path


class Locks:
    """An open file of locks; two open files are independent, even in one process.

    Args:
        path: the file, created if it does not exist.

    Attributes:
        descriptor: the file's descriptor; a process that inherits it holds the same locks.
    """

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)

    def close(self) -> None:
        """Release all locks."""
        os.close(self.descriptor)

    def share(self, name: str) -> None:
        """Hold a name together with others that share it; wait for an exclusive holder."""
        fcntl.fcntl(self.descriptor, fcntl.F_OFD_SETLKW, _request(fcntl.F_RDLCK, name))

    def take(self, name: str) -> bool:
        """Hold a name exclusively; return False if another holds it."""
        try:
            fcntl.fcntl(self.descriptor, fcntl.F_OFD_SETLK, _request(fcntl.F_WRLCK, name))
        except (BlockingIOError, PermissionError):  # POSIX allows either
            return False
        return True

    def free(self, name: str) -> None:
        """Release a name."""
        fcntl.fcntl(self.descriptor, fcntl.F_OFD_SETLK, _request(fcntl.F_UNLCK, name))


def _request(kind: int, name: str) -> bytes:
    """Return a `struct flock` for the byte of a name."""
    place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:7], "big")
    return struct.pack("@hhqqi4x", kind, os.SEEK_SET, place, 1, 0)
