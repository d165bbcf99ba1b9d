"""Copies files and directories with all their attributes."""

import contextlib
import os
import shutil
import stat
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from embedded_engine.host.beneath import pinned, remove_tree
from embedded_engine.host.rootpath import is_directory
from embedded_engine.oci.holes import copy_content


def remove_path(path: Path) -> None:
    """Remove a file, or a directory with everything below it, if it exists."""
    if is_directory(path):
        remove_tree(path)
    else:
        path.unlink(missing_ok=True)


def copy_tree(
    source: Path,
    target: Path,
    *,
    owner: tuple[int, int] | None = None,
    mode: int | None = None,
    wanted: frozenset[str] | None = None,
) -> None:
    """Copy a file or merge a directory into another, with modes, times, owners, links and extended attributes.

    Args:
        source: a file, or a directory whose contents are copied.
        target: the file to create, or an existing directory.
        owner: the uid and gid of the copies, instead of the source's.
        mode: the permission bits of the copies except links, instead of the source's.
        wanted: the paths below the source to copy; None for all.
    """
    copying = _Copying(source, target, owner, mode)
    if not is_directory(source):
        with pinned(source.parent) as origin, pinned(target.parent) as place:
            copying.file(origin / source.name, place / target.name, PurePath(target.name))
        return
    directories = [PurePath()]
    for inside in directories:
        with pinned(source, inside) as origin, pinned(target, inside) as place:
            for name in sorted(each.name for each in origin.iterdir()):
                if wanted is not None and str(inside / name) not in wanted:
                    continue
                if is_directory(origin / name):
                    _room_for_directory(place / name)
                    directories.append(inside / name)
                else:
                    copying.file(origin / name, place / name, inside / name)
    for inside in reversed(directories[1:]):
        with pinned(source, inside.parent) as origin, pinned(target, inside.parent) as place:
            copying.take_over(origin / inside.name, place / inside.name)
    if owner:
        os.chown(target, *owner)
    if mode is not None:
        target.chmod(mode)


@dataclass(frozen=True)
class _Copying:
    """The copying of one tree.

    Args:
        source, target: the directories or files.
        owner: the uid and gid of the copies, instead of the source's.
        mode: the permission bits of the copies except links, instead of the source's.
        seen: the path in the target of each copied file, by device and inode of the source.
    """

    source: Path
    target: Path
    owner: tuple[int, int] | None
    mode: int | None
    seen: dict[tuple[int, int], PurePath] = field(default_factory=dict)

    def file(self, origin: Path, place: Path, inside: PurePath) -> None:
        """Copy anything except a directory; a hard link to a copied file becomes a hard link to the copy.

        Args:
            origin, place: paths of source and copy that no link can redirect.
            inside: the path of the copy in the target.
        """
        found = origin.lstat()
        remove_path(place)
        first = self.seen.setdefault((found.st_dev, found.st_ino), inside)
        if first != inside:
            with pinned(self.target, first.parent) as directory, contextlib.suppress(FileNotFoundError):
                os.link(directory / first.name, place, follow_symlinks=False)
            return
        if stat.S_ISLNK(found.st_mode):
            place.symlink_to(origin.readlink())
        elif stat.S_ISREG(found.st_mode):
            copy_content(origin, place)
        elif not stat.S_ISSOCK(found.st_mode):
            _make_node(place, found)
        self.take_over(origin, place)

    def take_over(self, origin: Path, place: Path) -> None:
        """Give a copy the owner, the mode, the times and the attributes of its source."""
        if not os.path.lexists(place):
            return
        found = origin.lstat()
        uid, gid = self.owner or (found.st_uid, found.st_gid)
        os.chown(place, uid, gid, follow_symlinks=False)
        # This comes after chown(2), which clears the setuid bit and file capabilities.
        shutil.copystat(origin, place, follow_symlinks=False)
        if self.mode is not None and not stat.S_ISLNK(found.st_mode):
            place.chmod(self.mode)


def _room_for_directory(place: Path) -> None:
    if not is_directory(place):
        place.unlink(missing_ok=True)
        place.mkdir()


def _make_node(place: Path, found: os.stat_result) -> None:
    try:
        os.mknod(place, found.st_mode, found.st_rdev)
    except PermissionError:
        if stat.S_ISFIFO(found.st_mode):
            raise  # a user namespace may not create devices, so they are left out, as in layers
