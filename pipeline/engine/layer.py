"""An overlay's upper directory, written as an OCI layer in one pass.

Whiteouts and opaque directories are written as the OCI image spec's layer.md says; how overlayfs marks them
is in the kernel's Documentation/filesystems/overlayfs.rst.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from pipeline.engine.blob import BlobWriter, Compression
from pipeline.engine.errors import BadInput, EngineError
from pipeline.engine.namespace import in_user_namespace
from pipeline.engine.rootpath import short
from pipeline.engine.tarheader import DIRECTORY, END, HARD_LINK, REGULAR, SYMLINK, Entry, kind_of, padding

WHITEOUT = b".wh."
OPAQUE = b".wh..wh..opq"
MEDIA_TYPES: dict[Compression, str] = {
    "gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
    "zstd": "application/vnd.oci.image.layer.v1.tar+zstd",
    "uncompressed": "application/vnd.oci.image.layer.v1.tar",
}
#: Counts the changes of what the same tree gives.
FORMAT = 2
#: The overlay's own marks; mounts in a user namespace use the second.
OVERLAY_XATTRS = ("trusted.overlay.", "user.overlay.")
#: Labels of this host's policy.
HOST_XATTRS = ("security.selinux",)


@dataclass(frozen=True)
class Layer:
    """A layer as image configs and manifests name it.

    Args:
        diff_id: "sha256:…" of the uncompressed tar.
        digest: "sha256:…" of the blob.
        size: bytes of the blob.
        media_type: of the blob.
        uncompressed_size: bytes of the tar; None where only a registry knows the layer.
    """

    diff_id: str
    digest: str
    size: int
    media_type: str
    uncompressed_size: int | None = None


def write_layer(upper: Path, out: Path, *, epoch: int | None, compression: Compression = "gzip") -> Layer:
    """Pack an overlay's upper directory; the same tree gives the same bytes.

    Entries stand depth first, names sorted as bytes, the root directory before all. Owners are numeric, times whole
    seconds, of hard links the first is the file, whiteouts have no time, and one stands for a socket, which may have
    taken the place of something.

    Args:
        upper: the directory, mounted nowhere for writing any more, without redirect_dir and metacopy.
        out: the blob to write; the caller renames it to its digest.
        epoch: later modification times become this one, in seconds since 1970; None keeps them.
        compression: of the blob.

    Raises:
        BadInput: a file's name is one that layers keep for whiteouts, or its path is too long to open.
        EngineError: the overlay was mounted in a way that layers cannot express.
        OSError: reading or writing failed, as with no space left.
    """
    with short(upper) as root, out.open("wb") as file, BlobWriter(file, compression) as blob:
        for path, entry in _Tree(os.fsencode(root), epoch).entries():
            blob.write(entry.header())
            if entry.size:
                blob.copy(path, entry.size)
                blob.write(bytes(padding(entry.size)))
        blob.write(END)
        written = blob.finish()
    return Layer(written.diff_id, written.digest, written.size, MEDIA_TYPES[compression], written.uncompressed_size)


class _Tree:
    """The entries of one upper directory."""

    def __init__(self, upper: bytes, epoch: int | None) -> None:
        self._upper = upper
        self._epoch = epoch
        self._linked: dict[tuple[int, int], bytes] = {}

    def entries(self) -> Iterator[tuple[bytes, Entry]]:
        """Yield the host path and the header of each entry."""
        pending = [(self._upper, b"")]
        while pending:
            path, name = pending.pop()
            status = os.lstat(path)
            _refuse_reserved(name)
            kind = kind_of(status.st_mode)
            if kind is None or _is_whiteout(status):
                yield path, _mark(_whiteout(name))
                continue
            if kind != DIRECTORY:
                yield path, self._file(path, name, kind, status)
                continue
            prefix = name + b"/" if name else b""
            xattrs = _xattrs(path)
            yield path, self._like(status, prefix or b"./", kind, xattrs=_kept(xattrs))
            if _is_opaque(xattrs):
                yield path, _mark(prefix + OPAQUE)
            pending += _children(path, prefix)

    def _file(self, path: bytes, name: bytes, kind: bytes, status: os.stat_result) -> Entry:
        if status.st_nlink > 1:
            first = self._linked.setdefault((status.st_dev, status.st_ino), name)
            if first != name:
                return self._like(status, name, HARD_LINK, target=first)
        return self._like(
            status,
            name,
            kind,
            size=status.st_size if kind == REGULAR else 0,
            target=os.readlink(path) if kind == SYMLINK else b"",  # noqa: PTH115  names are bytes
            device=_device(status),
            xattrs=_kept(_xattrs(path)),
        )

    def _like(
        self,
        status: os.stat_result,
        name: bytes,
        kind: bytes,
        *,
        size: int = 0,
        target: bytes = b"",
        device: tuple[int, int] = (0, 0),
        xattrs: Mapping[bytes, bytes] = MappingProxyType({}),
    ) -> Entry:
        mode = stat.S_IMODE(status.st_mode)
        time = self._time(status)
        return Entry(name, kind, mode, status.st_uid, status.st_gid, time, size, target, device, xattrs)

    def _time(self, status: os.stat_result) -> int:
        seconds = status.st_mtime_ns // 10**9
        return seconds if self._epoch is None else min(seconds, self._epoch)


def _children(directory: bytes, prefix: bytes) -> list[tuple[bytes, bytes]]:
    """Return path and name of what a directory holds, the first in order last."""
    names = sorted(os.listdir(directory), reverse=True)  # noqa: PTH208  names are bytes
    return [(directory + b"/" + name, prefix + name) for name in names]


def _mark(name: bytes) -> Entry:
    return Entry(name, REGULAR, 0o600)


def _is_whiteout(status: os.stat_result) -> bool:
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def _whiteout(name: bytes) -> bytes:
    parent, slash, last = name.rpartition(b"/")
    return parent + slash + WHITEOUT + last


def _device(status: os.stat_result) -> tuple[int, int]:
    if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
        return os.major(status.st_rdev), os.minor(status.st_rdev)
    return 0, 0


def _refuse_reserved(name: bytes) -> None:
    if name.rpartition(b"/")[2].startswith(WHITEOUT):
        shown = name.decode(errors="backslashreplace")
        raise BadInput(
            f"A step left '/{shown}', but layers keep names that begin with '.wh.' for what they delete; "
            "give it another name."
        )


def _xattrs(path: bytes) -> dict[str, bytes]:
    return {key: os.getxattr(path, key, follow_symlinks=False) for key in os.listxattr(path, follow_symlinks=False)}


def _kept(xattrs: Mapping[str, bytes]) -> dict[bytes, bytes]:
    for key in (_overlay_mark() + "redirect", _overlay_mark() + "metacopy"):
        if key in xattrs:
            raise EngineError(
                f"The overlay left '{key}', which a layer cannot express; mount it with redirect_dir=off,metacopy=off."
            )
    return {
        os.fsencode(key): value
        for key, value in xattrs.items()
        if key not in HOST_XATTRS and not key.startswith(OVERLAY_XATTRS)
    }


def _is_opaque(xattrs: Mapping[str, bytes]) -> bool:
    return xattrs.get(_overlay_mark() + "opaque") == b"y"


def _overlay_mark() -> str:
    # The other prefix means nothing here: whatever runs in a container may set it.
    return OVERLAY_XATTRS[in_user_namespace()]
