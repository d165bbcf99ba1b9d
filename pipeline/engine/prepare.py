"""Opening a store's directory: its places are made, and it is one that this program and this user may write."""

from pathlib import Path

from pipeline.engine.disk import unwritable
from pipeline.engine.errors import BadInput, NotPermitted
from pipeline.engine.namespace import id_maps

#: Of the places and of what the keys of snapshots mean; another number refuses stores made before.
VERSION = 2
_DIRECTORIES = ("snapshots", "blobs/sha256", "caches", "locks", "tmp", "trash", "empty")
#: They hold images' devices, setuid programs and directories that anyone may write to.
_CLOSED = ("snapshots", "caches", "tmp", "trash")


def prepare(root: Path) -> None:
    """Make what is missing of a store's directory.

    Raises:
        NotPermitted: the directory cannot be written, or belongs to another user.
        DiskFull: no space is left for it.
        BadInput: it was written by a newer version of this program.
    """
    _check_ids(root)
    try:
        for name in _DIRECTORIES:
            (root / name).mkdir(parents=True, exist_ok=True)
        for name in _CLOSED:
            (root / name).chmod(0o700)
        for name, text in (("ids", id_maps()), ("version", f"{VERSION}\n")):
            # Written in place: where one was killed before its first byte, the next one writes it.
            if not (root / name).exists() or not (root / name).stat().st_size:
                (root / name).write_text(text)
        found = (root / "version").read_text().strip()
    except OSError as error:
        raise unwritable(root, error) from None
    if found not in ("", str(VERSION)):
        raise BadInput(
            f"The store {root} has layout {found}, and this version of ska-images knows layout {VERSION}; "
            "choose another directory with --store."
        )


def _check_ids(root: Path) -> None:
    try:
        same = (root / "ids").read_text() in ("", id_maps())
    except FileNotFoundError:
        return
    except PermissionError:
        same = False
    if not same:
        raise NotPermitted(
            f"The store {root} belongs to another user, or was made with other subordinate ids; "
            "choose another directory with --store."
        )
