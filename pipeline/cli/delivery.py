"""Files and directories written completely or not at all, even if the disk is full or the run is killed."""

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SUFFIX = ".partial"


def write_beside(output: Path, text: str) -> None:
    """Write a file completely or not at all.

    Args:
        output: the file; parent directories are created.
        text: its content.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    beside = output.with_name(f".{output.name}.{os.getpid()}{_SUFFIX}")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(output)
        _sync(output.parent)
    finally:
        beside.unlink(missing_ok=True)


async def export_directory(result: Any, output: Path, *, last: str = "") -> None:
    """Export a directory into another one, which keeps its other files.

    Args:
        result: a directory of the SDK.
        output: the destination; it is created with its parent directories.
        last: the name of the file that describes the others; it is never present beside files of another export.
    """
    output.mkdir(parents=True, exist_ok=True)
    with _staged(output) as staging:
        await result.export(str(staging.absolute()))
        with _locked(output):
            _move(staging, output, last)


@contextlib.contextmanager
def _staged(output: Path) -> Iterator[Path]:
    """Make a directory for an incomplete export, and remove those of killed runs."""
    for left in output.glob(f".*{_SUFFIX}"):
        if left.is_dir():
            with contextlib.suppress(BlockingIOError), _locked(left, fcntl.LOCK_NB):
                shutil.rmtree(left, ignore_errors=True)
    staging = output / f".{secrets.token_hex(4)}{_SUFFIX}"
    staging.mkdir()
    try:
        with _locked(staging):
            # An engine skips a file of the same size and time, and otherwise replaces the name, not the content.
            for path in output.iterdir():
                if path.is_file() and not path.is_symlink():
                    with contextlib.suppress(OSError):
                        os.link(path, staging / path.name)
            yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextlib.contextmanager
def _locked(directory: Path, how: int = 0) -> Iterator[None]:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | how)
        yield
    finally:
        os.close(descriptor)


def _move(staging: Path, output: Path, last: str) -> None:
    changed = [path.relative_to(staging) for path in sorted(staging.rglob("*"))]
    changed = [path for path in changed if not _is_same(staging / path, output / path)]
    describing = [path for path in changed if str(path) == last]
    for path in describing:
        (output / path).unlink(missing_ok=True)
    _sync(output)
    for paths in ([path for path in changed if path not in describing], describing):
        for path in paths:
            _move_one(staging / path, output / path)
        _sync(output)


def _is_same(path: Path, there: Path) -> bool:
    if not os.path.lexists(there):
        return False
    return (_is_directory(path) and _is_directory(there)) or os.path.samestat(path.lstat(), there.lstat())


def _move_one(path: Path, there: Path) -> None:
    if _is_directory(there):
        shutil.rmtree(there)
    if _is_directory(path):
        there.unlink(missing_ok=True)
        there.mkdir()
    else:
        path.replace(there)


def _is_directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
