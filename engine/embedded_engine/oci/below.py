"""The files that the layers below another one show, read from their directories as overlayfs merges them.

Source for the marks of deletions and replaced directories: the kernel's Documentation/filesystems/overlayfs.rst.
"""

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedded_engine.host.namespace import in_user_namespace
from embedded_engine.oci.tarheader import kind_of

#: The prefixes of overlayfs's own attributes; mounts in a user namespace use the second.
OVERLAY_XATTRS = ("trusted.overlay.", "user.overlay.")
#: Attributes of this host's security policy.
HOST_XATTRS = ("security.selinux",)
_PIECE = 1 << 20


@dataclass(frozen=True)
class Below:
    """A layer below the one to pack.

    Args:
        directory: the overlay's upper directory that the layer was packed from.
        epoch: the latest modification time in the layer, in seconds since 1970; None for no limit.
    """

    directory: Path
    epoch: int | None = None


@dataclass(frozen=True)
class Piece:
    """A file or a directory of one layer.

    Args:
        path: the path on the host.
        status: the status of the file itself.
        epoch: the epoch of the layer, see `Below`.
    """

    path: bytes
    status: os.stat_result
    epoch: int | None


def roots(layers: Iterable[Below]) -> list[Piece]:
    """Return the root directories of layers, in the same order."""
    return [Piece(os.fsencode(one.directory), one.directory.stat(), one.epoch) for one in layers]


def shown(directories: Sequence[Piece], name: bytes) -> list[Piece]:
    """Return what merged directories show under a name: one file, directories that merge themselves, or nothing.

    A socket counts as nothing, since no layer holds one.

    Args:
        directories: the parts of one directory, the highest first.
        name: of an entry.
    """
    found: list[Piece] = []
    for directory in directories:
        path = directory.path + b"/" + name
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            continue
        if is_whiteout(status) or kind_of(status.st_mode) is None:
            break
        if not stat.S_ISDIR(status.st_mode):
            return found or [Piece(path, status, directory.epoch)]
        found.append(Piece(path, status, directory.epoch))
        if is_opaque(xattrs_of(path)):
            break
    return found


def is_directory(parts: Sequence[Piece]) -> bool:
    """Return whether a directory is shown."""
    return bool(parts) and stat.S_ISDIR(parts[0].status.st_mode)


def is_empty(directories: Sequence[Piece]) -> bool:
    """Return whether merged directories show nothing in them."""
    names = {name for directory in directories for name in os.listdir(directory.path)}  # noqa: PTH208  bytes
    return not any(shown(directories, name) for name in names)


def same_content(one: bytes, other: bytes) -> bool:
    """Return whether two regular files of equal size hold the same bytes."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(one, flags), "rb", 0) as first, open(os.open(other, flags), "rb", 0) as second:  # noqa: PTH123
        while True:
            piece = first.read(_PIECE)
            if piece != second.read(_PIECE):
                return False
            if not piece:
                return True


def is_whiteout(status: os.stat_result) -> bool:
    """Return whether a file is overlayfs's mark of a deletion."""
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def is_opaque(xattrs: Mapping[str, bytes]) -> bool:
    """Return whether a directory's extended attributes say that nothing below it is shown."""
    return xattrs.get(overlay_mark() + "opaque") == b"y"


def overlay_mark() -> str:
    """Return how the marks of this process's overlays begin.

    The other prefix means nothing here: whatever runs in a container may set it.
    """
    return OVERLAY_XATTRS[in_user_namespace()]


def xattrs_of(path: bytes) -> dict[str, bytes]:
    """Return the extended attributes of a file itself."""
    return {key: os.getxattr(path, key, follow_symlinks=False) for key in os.listxattr(path, follow_symlinks=False)}
