"""Opening a store's directory: it is a store or becomes one, this user owns it, and this program knows its layout."""

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

#: Of the places and of what the keys of snapshots mean; another number refuses stores made before.
VERSION = 2
_DIRECTORIES = ("snapshots", "blobs/sha256", "caches", "locks", "tmp", "trash", "empty")
#: They hold images' devices, setuid programs and directories that anyone may write to.
_CLOSED = ("snapshots", "caches", "tmp", "trash")
#: The two files that mark a store, and what each holds.
_MARKS = {"ids": re.compile(r"([0-9]+ [0-9]+ [0-9]+\n)+"), "version": re.compile(r"[0-9]+\n?")}
#: What mkfs.ext4 puts into every new file system.
_FOREIGN = frozenset({"lost+found"})
_ELSEWHERE = "choose another directory"


def prepare(root: Path) -> Path:
    """Make what is missing of a store's directory, and touch nothing unless it is a store or an empty directory.

    Args:
        root: the directory, or a link to it.

    Returns:
        The directory itself.

    Raises:
        DiskFull: no space is left for it.
        StoreUnusable: it is not a store, cannot be written, or belongs to another user or version.
    """
    try:
        root = Path(os.path.realpath(root))  # Path.resolve() raises RuntimeError for a circle of links
        root.mkdir(parents=True, exist_ok=True)
        _require_owner(root, root)
        with _alone(root):
            marks = _marks(root)
            if _is_new(root, marks):
                root.chmod(stat.S_IMODE(root.stat().st_mode) & ~0o022)
            else:
                _require_store(root, marks)
            # The version comes last: one that is there without the other file marks something else.
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
    """Keep other processes from marking the same directory at the same time."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _marks(root: Path) -> dict[str, str]:
    """Return what the files hold that mark a store, those that are there."""
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
    """Return whether a directory is empty, or all that it holds was left by a process that was killed here."""
    begun = not marks.get("version") and marks.get("ids", "") in ("", id_maps())
    return begun and {path.name for path in root.iterdir()} - _FOREIGN <= _MARKS.keys()


def _require_store(root: Path, marks: Mapping[str, str]) -> None:
    whole = {name for name, text in marks.items() if _MARKS[name].fullmatch(text)}
    # One of them may have been cut short: by a program of this version or an older one, when the power went.
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
