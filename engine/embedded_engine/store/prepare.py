"""Opens a store's directory: it is a store or becomes one, this user owns it, and this program knows its layout."""

import contextlib
import fcntl
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from embedded_engine.host.disk import unwritable
from embedded_engine.host.durable import sync, write_text
from embedded_engine.host.errors import StoreUnusable
from embedded_engine.host.namespace import id_maps

#: The version of the layout and of the keys of snapshots; a new version refuses older stores.
VERSION = 2
_DIRECTORIES = ("snapshots", "blobs/sha256", "caches", "locks", "tmp", "trash", "empty")
#: Directories with images' devices, setuid programs and world-writable directories.
_CLOSED = ("snapshots", "caches", "tmp", "trash")
#: The two files that mark a store, with their content.
_MARKS = {"ids": re.compile(r"([0-9]+ [0-9]+ [0-9]+\n)+"), "version": re.compile(r"[0-9]+\n?")}
#: The directory that mkfs.ext4 creates in every new file system.
_FOREIGN = frozenset({"lost+found"})
_ELSEWHERE = "choose another directory"


def prepare(root: Path) -> Path:
    """Create the missing parts of a store's directory; change nothing unless it is a store or empty.

    Args:
        root: the directory, or a link to it.

    Returns:
        The directory itself.

    Raises:
        DiskFull: no space is left.
        StoreUnusable: the directory is not a store, is not writable, or belongs to another user or version.
    """
    try:
        root = Path(os.path.realpath(root))  # Path.resolve() raises RuntimeError for a loop of links
        root.mkdir(parents=True, exist_ok=True)
        _require_owner(root, root)
        with _alone(root):
            marks = _marks(root)
            if _is_new(root, marks):
                root.chmod(stat.S_IMODE(root.stat().st_mode) & ~0o022)
            else:
                _require_store(root, marks)
            # The version is written last: without the other file, it marks something else.
            for name, text in (("ids", id_maps()), ("version", f"{VERSION}\n")):
                if not marks.get(name):
                    write_text(root / name, text)
                    sync(root)
        for name in _DIRECTORIES:
            _make_place(root, name, _mount_of(root))
    except FileExistsError as error:
        raise StoreUnusable(f"The store needs a directory, and {error.filename} is a file; {_ELSEWHERE}.") from None
    except OSError as error:
        raise unwritable(root, error) from None
    return root


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Prevent other processes from marking the same directory at the same time."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _marks(root: Path) -> dict[str, str]:
    """Return the contents of the existing files that mark a store."""
    found = {}
    for name in _MARKS:
        with contextlib.suppress(FileNotFoundError):
            found[name] = _text(root / name)
    return found


def _text(path: Path) -> str:
    if not stat.S_ISREG(path.lstat().st_mode):
        return "not a file"
    with path.open("rb") as file:
        return file.read(4096).decode(errors="replace")


def _is_new(root: Path, marks: Mapping[str, str]) -> bool:
    """Return whether a directory is empty, or has only the traces of a process that was killed in `prepare`."""
    begun = not marks.get("version") and marks.get("ids", "") in ("", id_maps())
    return begun and {path.name for path in root.iterdir()} - _FOREIGN <= _MARKS.keys()


def _require_store(root: Path, marks: Mapping[str, str]) -> None:
    whole = {name for name, text in marks.items() if _MARKS[name].fullmatch(text)}
    # A power failure may have cut one of the files short, in this version of the program or an older one.
    if marks.keys() != _MARKS.keys() or not whole or any(marks[name] for name in marks.keys() - whole):
        raise StoreUnusable(
            f"The directory {root} is neither empty nor a store, so it was left unchanged; {_ELSEWHERE}."
        )
    if (marks["ids"] or id_maps()) != id_maps():
        raise _foreign(root)
    if (found := int(marks["version"] or VERSION)) != VERSION:
        raise StoreUnusable(
            f"The store {root} has layout {found}, and this version of the embedded engine knows layout {VERSION}; "
            f"{_ELSEWHERE}."
        )


def _make_place(root: Path, name: str, mount: str) -> None:
    place = root
    for part in Path(name).parts:
        place /= part
        place.mkdir(exist_ok=True)
        _require_owner(root, place)
        if _mount_of(place) != mount:
            raise StoreUnusable(
                f"The directory '{place.relative_to(root)}' of the store {root} is a mount point, and a store lies on "
                f"one file system; mount the whole store instead, or {_ELSEWHERE}."
            )
    if name in _CLOSED:
        place.chmod(0o700)


def _require_owner(root: Path, place: Path) -> None:
    status = place.lstat()
    if stat.S_ISLNK(status.st_mode):
        raise StoreUnusable(
            f"The directory '{place.relative_to(root)}' of the store {root} is a link, and nothing outside of a store "
            f"is ever changed; remove it, or {_ELSEWHERE}."
        )
    if status.st_uid != os.geteuid():
        raise _foreign(root)


def _mount_of(directory: Path) -> str:
    descriptor = os.open(directory, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        lines = Path(f"/proc/self/fdinfo/{descriptor}").read_text().splitlines()
    finally:
        os.close(descriptor)
    return next(line for line in lines if line.startswith("mnt_id:"))


def _foreign(root: Path) -> StoreUnusable:
    return StoreUnusable(
        f"The store {root} belongs to another user, or was made with other subordinate ids; {_ELSEWHERE}."
    )
