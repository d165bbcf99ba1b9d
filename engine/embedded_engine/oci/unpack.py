"""Applies a layer to a directory, as in the OCI image spec's layer.md.

The layer is not trusted: every parent is resolved inside the root, and an entry with a path outside it is refused by
name.
"""

import contextlib
import errno
import os
import stat
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from embedded_engine.host.beneath import pinned, remove_tree
from embedded_engine.host.namespace import has_ids
from embedded_engine.host.rootpath import SymlinkLoop, is_directory, missing, resolve, short
from embedded_engine.oci.entries import OPAQUE, WHITEOUT
from embedded_engine.oci.holes import write_sparsely
from embedded_engine.oci.tarentry import components, make_node, pieces, refuse, set_xattrs
from embedded_engine.oci.tarstream import TarStream

OPAQUE_NAME, WHITEOUT_PREFIX = os.fsdecode(OPAQUE), os.fsdecode(WHITEOUT)
#: The errors of file systems for unsupported names or values.
_UNFIT = {
    errno.EILSEQ,
    errno.EINVAL,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOTDIR,
    errno.EOVERFLOW,
    errno.EFBIG,
}
#: The kernel's errors if something else has replaced a directory.
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


def apply_layer(blob: BinaryIO, root: Path) -> str:
    """Apply a layer to a directory with the layers below it, and return its diff_id, "sha256:…".

    Owners are set only if the process is root. A whiteout removes only files of lower layers. Devices are created if
    the kernel allows it, and left out in a user namespace.

    Args:
        blob: the layer, a tar, plain or compressed with gzip or zstd; seekable.
        root: the directory; nothing outside it is written.

    Raises:
        ArchiveInvalid: the archive is damaged, or has entries that a root file system must not have.
        OSError: writing failed, for example because no space is left.
    """
    stream = TarStream(blob)
    with short(root) as name:
        tree = _Tree(name, stream)
        for entry in stream.entries():
            _apply(tree, entry)
        tree.settle()
    return stream.finish()


def _apply(tree: "_Tree", entry: tarfile.TarInfo) -> None:
    try:
        tree.apply(entry)
    except (SymlinkLoop, ValueError, OverflowError, RecursionError) as error:
        refuse(entry, f"cannot be written ({error})")
    except OSError as error:
        if error.errno not in _UNFIT:
            raise
        refuse(entry, f"cannot be written ({os.strerror(error.errno)})")


@dataclass(frozen=True)
class _Settled:
    """The final attributes of a directory, set after its content; times are nanoseconds since 1970."""

    mtime: int
    mode: int | None = None


class _Tree:
    """The root directory while a layer is applied."""

    def __init__(self, root: Path, stream: TarStream) -> None:
        self._root = root
        self._stream = stream
        self._written: set[Path] = {root}
        self._directories: dict[Path, _Settled] = {}
        self._parents: dict[str, Path] = {}
        self._left_out: set[Path] = set()
        self._privileged = os.geteuid() == 0

    def apply(self, entry: tarfile.TarInfo) -> None:
        """Create, replace or remove the file of an entry."""
        *above, last = components(entry, entry.name) or [""]
        if last.startswith(WHITEOUT_PREFIX):
            self._white_out(entry, "/".join(above), last)
            return
        path = self._parent(entry, "/".join(above)) / last
        if entry.islnk():
            self._hard_link(entry, path)
        elif entry.isdir():
            self._directory(entry, path)
        elif path == self._root:
            refuse(entry, "puts something else in the place of the root directory")
        else:
            self._leaf(entry, path)
        self._written.add(path)

    def settle(self) -> None:
        """Set the modes and times of directories, unless something else has replaced them."""
        for path, wanted in sorted(self._directories.items(), reverse=True):
            with contextlib.ExitStack() as stack:
                try:
                    directory = stack.enter_context(pinned(self._root, path.relative_to(self._root)))
                except OSError as error:
                    if error.errno not in _GONE:
                        raise
                    continue
                if wanted.mode is not None:
                    directory.chmod(wanted.mode)
                os.utime(directory, ns=(wanted.mtime, wanted.mtime))

    def _parent(self, entry: tarfile.TarInfo, name: str) -> Path:
        """Return the parent directory of an entry, resolved inside the root; create it if it is missing."""
        if name in self._parents:
            return self._parents[name]
        absent = missing(self._root, name)
        parent = resolve(self._root, name)
        existing = absent[0].parent if absent else parent
        if not is_directory(existing):
            refuse(entry, f"lies below '{existing.relative_to(self._root)}', which is not a directory")
        self._keep_time(existing)
        for directory in absent:
            directory.mkdir()
            self._directories[directory] = _Settled(0, 0o755)
        self._write_down(parent)
        self._parents[name] = parent
        return parent

    def _write_down(self, directory: Path) -> None:
        """Remember a directory and its parents; the parents of a remembered one are remembered already."""
        while directory not in self._written:
            self._written.add(directory)
            directory = directory.parent

    def _directory(self, entry: tarfile.TarInfo, path: Path) -> None:
        if not is_directory(path):
            self._remove(path)
            path.mkdir()
        path.chmod(0o700)
        self._own(entry, path)
        set_xattrs(entry, path, privileged=self._privileged)
        self._directories[path] = _Settled(_nanoseconds(entry), stat.S_IMODE(entry.mode))

    def _hard_link(self, entry: tarfile.TarInfo, path: Path) -> None:
        *above, last = components(entry, entry.linkname) or [""]
        target = resolve(self._root, "/".join(above)) / last
        if target == path:
            return
        if target in self._left_out and not os.path.lexists(target):
            self._remove(path)
            self._left_out.add(path)
            return
        if not os.path.lexists(target) or is_directory(target):
            refuse(entry, f"is a hard link to '{entry.linkname}', which is not a file of the archive")
        self._remove(path)
        os.link(target, path, follow_symlinks=False)

    def _leaf(self, entry: tarfile.TarInfo, path: Path) -> None:
        if not (entry.isreg() or entry.issym() or entry.isdev()):
            refuse(entry, f"is of the unknown type {entry.type!r}")
        if entry.issym() and not entry.linkname:
            refuse(entry, "is a symbolic link without a target")
        self._remove(path)
        if entry.isdev() and not make_node(entry, path):
            self._left_out.add(path)
            return
        if entry.issym():
            path.symlink_to(entry.linkname)
        elif entry.isreg():
            self._content(entry, path)
        self._own(entry, path)
        if not entry.issym():
            path.chmod(stat.S_IMODE(entry.mode))
        set_xattrs(entry, path, privileged=self._privileged)
        os.utime(path, ns=(_nanoseconds(entry), _nanoseconds(entry)), follow_symlinks=False)

    def _content(self, entry: tarfile.TarInfo, path: Path) -> None:
        with path.open("xb", buffering=0) as file:
            position = entry.offset_data
            for start, size in pieces(entry):
                offset = start
                for piece in self._stream.content(position, size):
                    write_sparsely(file.fileno(), piece, offset)
                    offset += len(piece)
                position += size
            file.truncate(entry.size)

    def _white_out(self, entry: tarfile.TarInfo, above: str, last: str) -> None:
        parent = resolve(self._root, above)
        if not is_directory(parent):
            return
        self._keep_time(parent)
        hidden = last.removeprefix(WHITEOUT_PREFIX)
        if last == OPAQUE_NAME:
            for child in list(parent.iterdir()):
                self._remove_lower(child)
        elif hidden in ("", ".", ".."):
            refuse(entry, "is a whiteout of no file")
        elif not hidden.startswith(WHITEOUT_PREFIX):  # aufs's own marks
            self._remove_lower(parent / hidden)

    def _remove_lower(self, top: Path) -> None:
        pending = [top]
        for path in pending:
            if path not in self._written:
                self._remove(path)
            elif is_directory(path):
                self._keep_time(path)
                pending += path.iterdir()

    def _remove(self, path: Path) -> None:
        if not os.path.lexists(path):
            return
        self._parents.clear()  # paths through it lead elsewhere now
        if is_directory(path):
            remove_tree(path)
        else:
            path.unlink()

    def _own(self, entry: tarfile.TarInfo, path: Path) -> None:
        if self._privileged:
            if not has_ids(entry.uid, entry.gid):
                refuse(entry, f"belongs to {entry.uid}:{entry.gid}, which only root can give to files", "run as root")
            os.chown(path, entry.uid, entry.gid, follow_symlinks=False)

    def _keep_time(self, directory: Path) -> None:
        """Keep a directory's time although its content changes, because only the layer sets times."""
        self._directories.setdefault(directory, _Settled(directory.stat().st_mtime_ns))


def _nanoseconds(entry: tarfile.TarInfo) -> int:
    seconds, fraction = divmod(entry.mtime, 1)  # multiplying a float would lose precision
    return int(seconds) * 10**9 + int(fraction * 10**9)
