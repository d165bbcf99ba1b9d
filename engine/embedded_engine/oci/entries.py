"""What of an overlay's upper directory is in a layer: the entries of its tar."""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from embedded_engine.host.errors import BadInput, EngineError
from embedded_engine.oci.below import (
    HOST_XATTRS,
    OVERLAY_XATTRS,
    Piece,
    is_directory,
    is_empty,
    is_opaque,
    is_whiteout,
    overlay_mark,
    same_content,
    shown,
    xattrs_of,
)
from embedded_engine.oci.tarheader import HARD_LINK, REGULAR, SYMLINK, HeaderFields, kind_of

WHITEOUT = b".wh."
OPAQUE = b".wh..wh..opq"

#: The path on the host, and the header.
Found = tuple[bytes, HeaderFields]


class Entries:
    """The entries of one upper directory, depth first, names sorted as bytes, the root directory before all.

    Args:
        upper: the directory.
        below: the root directories of the layers below it, the highest first.
        epoch: the latest modification time, in seconds since 1970; None for no limit.
    """

    def __init__(self, upper: Path, below: list[Piece], epoch: int | None) -> None:
        self._upper = os.fsencode(upper)
        self._below = below
        self._epoch = epoch
        self._linked: dict[tuple[int, int], bytes] = {}
        #: The parents of the next entry that have not been written yet, with their depth.
        self._above: list[tuple[int, Found]] = []

    def __iter__(self) -> Iterator[Found]:
        """Yield the host path and the header of each entry.

        Raises:
            BadInput: a file has a name that layers reserve for whiteouts.
            EngineError: layers cannot express how the overlay was mounted.
        """
        pending = [(self._upper, b"", self._below)]
        while pending:
            path, name, below = pending.pop()
            status = os.lstat(path)
            _refuse_reserved(name)
            depth = name.count(b"/") + bool(name)
            while self._above and self._above[-1][0] >= depth:
                self._above.pop()
            if stat.S_ISDIR(status.st_mode):
                merged = _merged(path, below)
                yield from self._directory(path, name, depth, status, below, merged)
                pending += _children(path, name, merged)
            elif is_whiteout(status) or kind_of(status.st_mode) is None:
                if below:
                    yield from self._waiting()
                    yield path, _mark(_whiteout(name))
            elif not self._is_below(path, entry := self._file(path, name, status), status, below):
                yield from self._waiting()
                yield path, entry

    def _directory(
        self,
        path: bytes,
        name: bytes,
        depth: int,
        status: os.stat_result,
        below: list[Piece],
        merged: list[Piece],
    ) -> Iterator[Found]:
        """Yield a directory's entry, or hold it until an entry inside is written."""
        prefix = name + b"/" if name else b""
        entry = _entry(path, prefix or b"./", status, self._epoch)
        replaces = is_directory(below) and not merged and not is_empty(below)
        self._above.append((depth, (path, entry)))
        if replaces or not (is_directory(below) and entry == _of(below[0], entry.name)):
            yield from self._waiting()
        if replaces:
            yield path, _mark(prefix + OPAQUE)

    def _waiting(self) -> Iterator[Found]:
        """Yield the held directories above the next entry."""
        for _, found in self._above:
            yield found
        self._above.clear()

    def _file(self, path: bytes, name: bytes, status: os.stat_result) -> HeaderFields:
        if status.st_nlink > 1:
            first = self._linked.setdefault((status.st_dev, status.st_ino), name)
            if first != name:
                return _like(status, name, HARD_LINK, self._epoch, target=first)
        return _entry(path, name, status, self._epoch)

    def _is_below(self, path: bytes, entry: HeaderFields, status: os.stat_result, below: list[Piece]) -> bool:
        """Return whether the layers below have the same file with the same attributes."""
        # If a file has several names, copying it up breaks its hard links.
        if not below or is_directory(below) or status.st_nlink > 1 or below[0].status.st_nlink > 1:
            return False
        if entry != _of(below[0], entry.name):
            return False
        return entry.kind != REGULAR or same_content(path, below[0].path)


def _of(part: Piece, name: bytes) -> HeaderFields:
    """Return the entry of a file in a lower layer."""
    return _entry(part.path, name, part.status, part.epoch)


def _entry(path: bytes, name: bytes, status: os.stat_result, epoch: int | None) -> HeaderFields:
    kind = kind_of(status.st_mode) or b""
    return _like(
        status,
        name,
        kind,
        epoch,
        size=status.st_size if kind == REGULAR else 0,
        target=os.readlink(path) if kind == SYMLINK else b"",  # noqa: PTH115  names are bytes
        device=_device(status),
        xattrs=_kept(xattrs_of(path)),
    )


def _like(
    status: os.stat_result,
    name: bytes,
    kind: bytes,
    epoch: int | None,
    *,
    size: int = 0,
    target: bytes = b"",
    device: tuple[int, int] = (0, 0),
    xattrs: Mapping[bytes, bytes] = MappingProxyType({}),
) -> HeaderFields:
    seconds = status.st_mtime_ns // 10**9
    time = seconds if epoch is None else min(seconds, epoch)
    return HeaderFields(
        name, kind, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, time, size, target, device, xattrs
    )


def _merged(path: bytes, below: list[Piece]) -> list[Piece]:
    """Return the lower directories whose content an upper one merges."""
    return below if is_directory(below) and not is_opaque(xattrs_of(path)) else []


def _children(directory: bytes, name: bytes, merged: list[Piece]) -> list[tuple[bytes, bytes, list[Piece]]]:
    """Return path, name and lower pieces of each child of a directory, in reverse order."""
    prefix = name + b"/" if name else b""
    names = sorted(os.listdir(directory), reverse=True)  # noqa: PTH208  names are bytes
    return [(directory + b"/" + each, prefix + each, shown(merged, each)) for each in names]


def _mark(name: bytes) -> HeaderFields:
    # Like containerd, without mode and time.
    return HeaderFields(name, REGULAR, 0)


def _whiteout(name: bytes) -> bytes:
    parent, slash, last = name.rpartition(b"/")
    return parent + slash + WHITEOUT + last


def _device(status: os.stat_result) -> tuple[int, int]:
    if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
        return os.major(status.st_rdev), os.minor(status.st_rdev)
    return 0, 0


def _refuse_reserved(name: bytes) -> None:
    if name.rpartition(b"/")[2].startswith(WHITEOUT):
        shown_name = name.decode(errors="backslashreplace")
        raise BadInput(
            f"A step left '/{shown_name}', but layers keep names that begin with '.wh.' for what they delete; "
            "give it another name."
        )


def _kept(xattrs: Mapping[str, bytes]) -> dict[bytes, bytes]:
    for key in (overlay_mark() + "redirect", overlay_mark() + "metacopy"):
        if key in xattrs:
            raise EngineError(
                f"The overlay left '{key}', which a layer cannot express; mount it with redirect_dir=off,metacopy=off."
            )
    return {
        os.fsencode(key): value
        for key, value in xattrs.items()
        if key not in HOST_XATTRS and not key.startswith(OVERLAY_XATTRS)
    }
