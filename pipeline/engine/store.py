"""The directory that keeps what was made: snapshots by key, blobs by digest, cache volumes.

    version                 the layout's number
    ids                     whose it is: the ids that its files have on this machine
    snapshots/KEY/diff      what the step changed, as an overlayfs layer
    snapshots/KEY/meta.json what else is known of it; stdout and stderr lie beside
    blobs/sha256/HEX        compressed layers and base images' documents
    packed/KEY.json         which blob a snapshot was packed into
    caches/KEY              cache volumes
    records/                what finished runs of build-all left (pipeline/cli/record.py)
    locks/                  one evaluation of a key at a time, between processes
    tmp/SESSION/            what a running session is writing; swept once its lock is free

A result is written below tmp and then renamed, so whatever has its final name is whole.
"""

import asyncio
import contextlib
import errno
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline.engine.errors import BadInput, DiskFull, NotPermitted
from pipeline.engine.namespace import id_maps

VERSION = 1


class Store:
    """The store, opened for one session.

    Args:
        root: its directory, made if it is not there.

    Raises:
        NotPermitted: the directory cannot be written, or is another user's.
        BadInput: it was written by a newer version of this program.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._check_ids()
        try:
            for name in ("snapshots", "blobs/sha256", "packed", "caches", "locks", "tmp", "empty"):
                (root / name).mkdir(parents=True, exist_ok=True)
            for name in ("snapshots", "caches", "tmp"):
                # They hold images' devices, setuid programs and directories that anyone may write to.
                (root / name).chmod(0o700)
            if not (root / "ids").exists():
                write_beside(root / "ids", id_maps())
        except OSError as error:
            raise NotPermitted(
                f"The store {root} cannot be written: {error.strerror}; choose another directory with --store."
            ) from None
        self._check_version()
        self.session = root / "tmp" / secrets.token_hex(6)
        #: Names of sessions that ended without tidying up, and whose places were removed now.
        self.swept = self._sweep()
        self.session.mkdir()
        self._session_lock = os.open(self.session / "lock", os.O_CREAT | os.O_RDWR)
        fcntl.flock(self._session_lock, fcntl.LOCK_EX)

    def _check_version(self) -> None:
        path = self.root / "version"
        if not path.exists():
            write_beside(path, f"{VERSION}\n")
        found = path.read_text().strip()
        if found != str(VERSION):
            raise BadInput(
                f"The store {self.root} has layout {found}, and this version of ska-images knows layout {VERSION}; "
                "choose another directory with --store."
            )

    def _check_ids(self) -> None:
        try:
            same = (self.root / "ids").read_text() == id_maps()
        except FileNotFoundError:
            return
        except PermissionError:
            same = False
        if not same:
            raise NotPermitted(
                f"The store {self.root} belongs to another user, or was made with other subordinate ids; "
                "choose another directory with --store."
            )

    def _sweep(self) -> list[str]:
        swept = []
        for left in (self.root / "tmp").iterdir():
            with contextlib.suppress(OSError), (left / "lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
                swept.append(left.name)
        return swept

    def close(self) -> None:
        """Remove what this session was writing."""
        shutil.rmtree(self.session, ignore_errors=True)
        os.close(self._session_lock)

    def snapshot(self, key: str) -> Path:
        """Return the directory of a snapshot, whether or not it is there."""
        return self.root / "snapshots" / key[:24]

    def blob(self, digest: str) -> Path:
        """Return the path of a blob, whether or not it is there."""
        return self.root / "blobs" / "sha256" / digest.removeprefix("sha256:")

    def cache(self, key: str) -> Path:
        """Return the directory of a cache volume, made if it is not there."""
        path = self.root / "caches" / key[:24]
        path.mkdir(exist_ok=True)
        return path

    def temporary(self) -> Path:
        """Return a new directory in this session's place for unfinished things."""
        path = self.session / secrets.token_hex(4)
        path.mkdir()
        return path

    def commit(self, made: Path, key: str) -> Path:
        """Give a finished snapshot its final name; one that is there already wins."""
        final = self.snapshot(key)
        try:
            made.rename(final)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            shutil.rmtree(made, ignore_errors=True)
        return final

    def packed(self, key: str) -> Any | None:
        """Return what `set_packed` kept, if its blob is still there."""
        path = self.root / "packed" / f"{key}.json"
        try:
            return json.loads(path.read_text())
        except (FileNotFoundError, ValueError):
            return None

    def set_packed(self, key: str, value: Any) -> None:
        """Keep which blobs a snapshot was packed into."""
        write_beside(self.root / "packed" / f"{key}.json", json.dumps(value))

    @contextlib.asynccontextmanager
    async def lock(self, name: str, on_wait: Callable[[], None] = lambda: None) -> AsyncIterator[None]:
        """Hold a lock between processes for the time of a block.

        Args:
            name: what is locked.
            on_wait: called once if another process holds it.
        """
        descriptor = os.open(self.root / "locks" / name[:40], os.O_CREAT | os.O_RDWR)
        try:
            waited = False
            while not _try_lock(descriptor):
                if not waited:
                    on_wait()
                    waited = True
                await asyncio.sleep(0.05)
            yield
        finally:
            os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_beside(path: Path, text: str) -> None:
    """Write a file beside its place and rename it, so that no reader sees half of it."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        beside.write_text(text)
        beside.rename(path)
    finally:
        beside.unlink(missing_ok=True)


@contextlib.contextmanager
def disk_full_told(where: Path) -> Iterator[None]:
    """Turn "no space left" into one sentence that names the directory.

    Raises:
        DiskFull: the file system or the quota is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskFull(f"No space is left in {where}; free some, or choose another place, and run again.") from error
