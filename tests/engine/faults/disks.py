"""File systems of their own, each in a file, from which the power can be taken."""

import fcntl
import os
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

#: How each kind is made; overlayfs needs the types of directory entries, which xfs writes by default.
KINDS = {"ext4": ("mkfs.ext4", "-q"), "xfs": ("mkfs.xfs", "-q")}
#: FS_IOC_SHUTDOWN and its flag that writes neither data nor journal: include/uapi/linux/fs.h; xfstests calls it godown.
_SHUTDOWN = 0x8004587D
_NO_LOG_FLUSH = 2


@dataclass(frozen=True)
class Disk:
    """A file system.

    Args:
        kind: one of KINDS.
        place: a directory of its own, for its file and its mount point.
    """

    kind: str
    place: Path

    @property
    def at(self) -> Path:
        """Where it is mounted."""
        return self.place / "disk"

    def make(self, megabytes: int) -> None:
        """Make it, and mount it."""
        self.at.mkdir()
        with (self.place / "image").open("wb") as file:
            file.truncate(megabytes << 20)
        subprocess.run([*KINDS[self.kind], self.place / "image"], check=True)
        self.mount()

    def mount(self) -> None:
        """Mount it; the kernel replays its journal."""
        # xfs does not mount a copy beside the original otherwise, and that may not be gone yet.
        options = "loop,nouuid" if self.kind == "xfs" else "loop"
        subprocess.run(["mount", "-o", options, self.place / "image", self.at], check=True)

    def unmount(self) -> None:
        """Take it out of the tree of files; other mount namespaces may still have it."""
        subprocess.run(["umount", "--lazy", self.at], check=True)

    def write_journal(self) -> None:
        """Have the journal written, as any program does that brings a file of its own onto the disk."""
        descriptor = os.open(self.at / "other-program", os.O_CREAT | os.O_WRONLY)
        os.write(descriptor, b"x")
        os.fsync(descriptor)
        os.close(descriptor)

    def cut_power(self) -> None:
        """Stop it at once: what is not on the disk yet never gets there."""
        descriptor = os.open(self.at, os.O_RDONLY)
        fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        os.close(descriptor)

    def start_again(self) -> None:
        """Mount what was on the disk when it stopped."""
        self.unmount()
        # The kernel knows the file, and stays with what it stopped, for as long as any namespace has that mounted.
        image = self.place / "image"
        subprocess.run(["cp", "--sparse=always", image, self.place / "copy"], check=True)
        (self.place / "copy").replace(image)
        self.mount()
