"""Limits on an entry of an untrusted tar."""

import errno
import os
import stat
import tarfile
from pathlib import Path
from typing import NoReturn

from embedded_engine.host.errors import ArchiveInvalid
from embedded_engine.host.rootpath import LONGEST_PATH
from embedded_engine.oci.below import HOST_XATTRS, OVERLAY_XATTRS

_XATTR = "SCHILY.xattr."
#: The most characters of an attribute's name in an error.
_SHOWN = 80
_DISTRUST = "get the archive anew from a source that you trust"


def refuse(entry: tarfile.TarInfo, why: str, remedy: str = _DISTRUST) -> NoReturn:
    """Raise ArchiveInvalid with the entry's name, the reason and what to do."""
    name = entry.name if entry.name.isprintable() else repr(entry.name)[1:-1]
    raise ArchiveInvalid(f"The archive's entry '{name}' {why}; {remedy}.") from None


def components(entry: tarfile.TarInfo, name: str) -> list[str]:
    """Return the parts of a path below the root; an absolute path, as in kaniko's layers, starts there too.

    Raises:
        ArchiveInvalid: the path is too long, or leaves the root.
    """
    if len(os.fsencode(name)) > LONGEST_PATH:
        refuse(entry, f"has a path of more than {LONGEST_PATH} bytes")
    found = [each for each in name.split("/") if each not in ("", ".")]
    if ".." in found:
        refuse(entry, "leaves the root filesystem")
    return found


def make_node(entry: tarfile.TarInfo, path: Path) -> bool:
    """Create a fifo or a device, and return whether it was created.

    Like Docker and containerd (moby pkg/archive and containerd archive/tar_unix.go), leave out devices in a user
    namespace, where the kernel refuses them. Also leave out the character device 0/0: it is overlayfs's mark of a
    deletion, which no container could see.
    """
    kind = stat.S_IFIFO if entry.isfifo() else stat.S_IFCHR if entry.ischr() else stat.S_IFBLK
    device = 0 if entry.isfifo() else os.makedev(entry.devmajor, entry.devminor)
    if (kind, device) == (stat.S_IFCHR, 0):
        return False
    try:
        os.mknod(path, kind | 0o600, device)
    except PermissionError:
        if entry.isfifo():
            raise
        return False
    return True


def set_xattrs(entry: tarfile.TarInfo, path: Path, *, privileged: bool) -> None:
    """Give a file exactly the extended attributes of its entry, except those that control overlays or the host.

    Args:
        entry: the entry.
        path: the file of the entry; a symbolic link is not followed.
        privileged: whether the process is root; others leave out attributes that only root may set.

    Raises:
        ArchiveInvalid: the file system cannot hold one of them.
    """
    wanted = _xattrs(entry)
    # The directory may have existed before, and any file inherits the default access list of its directory.
    for key in () if entry.issym() else os.listxattr(path):
        if key not in wanted and not _foreign(key):
            os.removexattr(path, key)
    for key, value in wanted.items():
        # The root of a user namespace may not set trusted attributes.
        needed = privileged and not key.startswith("trusted.")
        try:
            is_set = _set_xattr(path, key, value)
        except OSError as error:
            if not _is_unfit(error, path):
                raise
            refuse(entry, f"has the attribute {_shown(key)} of {len(value)} bytes, which no file can have here")
        if needed and not is_set:
            remedy = "keep the store on a file system that has extended attributes"
            refuse(entry, f"has the attribute {_shown(key)}, which cannot be set here", remedy)


def pieces(entry: tarfile.TarInfo) -> list[tuple[int, int]]:
    """Return offset and size in bytes of each piece of a file's data; the rest are holes."""
    sparse: list[tuple[int, int]] | None = getattr(entry, "sparse", None)  # typeshed has a wrong type
    return [(0, entry.size)] if sparse is None else sparse


def _set_xattr(path: Path, key: str, value: bytes) -> bool:
    try:
        os.setxattr(path, key, value, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP):
            raise
        return False
    return True


def _is_unfit(error: OSError, path: Path) -> bool:
    """Return whether an attribute is too large for Linux (xattr(7), Limits) or for ext4."""
    if error.errno == errno.ENOSPC:
        return bool(os.statvfs(path.parent).f_bavail)
    return error.errno in (errno.E2BIG, errno.ERANGE)


def _shown(key: str) -> str:
    return repr(key if len(key) <= _SHOWN else f"{key[:_SHOWN]}…")


def _xattrs(entry: tarfile.TarInfo) -> dict[str, bytes]:
    return {
        key: value.encode("utf-8", "surrogateescape")
        for record, value in entry.pax_headers.items()
        if record.startswith(_XATTR) and not _foreign(key := _unescaped(record.removeprefix(_XATTR)))
    }


def _unescaped(key: str) -> str:
    """Return an attribute's name as it was before GNU tar, or our own writer, escaped it."""
    return key.replace("%3D", "=").replace("%25", "%")


def _foreign(key: str) -> bool:
    return key in HOST_XATTRS or key.startswith(OVERLAY_XATTRS)
