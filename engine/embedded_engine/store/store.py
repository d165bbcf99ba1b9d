"""The directory of results: snapshots by key, blobs by digest, cache volumes.

    version                     the version of the layout
    ids                         the owner: the ids of its files on this machine
    snapshots/KEY/diff          a step's changes, as an overlayfs layer, with the step's output beside it
    snapshots/KEY/meta.json     the snapshot's record; the file's time is that of the last use
    snapshots/KEY/packed.*.json the blob that the snapshot was packed into
    blobs/sha256/HEX            compressed layers; their time is 0, so a later change is visible
    caches/KEY                  cache volumes; KEY.json names the last mount point
    locks/                      the locks of results in progress and of running sessions (locks.py)
    clock                       its time is the latest last use
    tmp/SESSION/                unfinished files of a running session
    trash/                      files to delete

A result is written below tmp, synchronised to the disk (durable.py) and then renamed; a removal renames first. So
everything under its final name is complete, even after a power failure.
"""

import asyncio
import contextlib
import errno
import json
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from embedded_engine.host.disk import unwritable
from embedded_engine.host.durable import sync, sync_tree, write_text
from embedded_engine.store import trash
from embedded_engine.store.clock import next_moment
from embedded_engine.store.locks import Locks
from embedded_engine.store.prepare import prepare
from embedded_engine.store.snapshot import Damaged, Outdated, Snapshot, read_snapshot, write_snapshot


class Store:
    """The open store.

    Args:
        root: the directory, created if it does not exist.

    Raises:
        NotPermitted, DiskFull, BadInput: see `prepare`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root = prepare(root)
        self._sessions = Locks(root / "locks" / "sessions")
        self._uses = Locks(root / "locks" / "uses")
        self.session = root / "tmp" / secrets.token_hex(6)
        #: The digests of blobs that this session wrote.
        self.written: set[str] = set()
        #: The time of this session's last uses, in nanoseconds since 1970.
        self.now = time.time_ns()
        self._moment = next_moment(root / "clock", self.now)
        #: Whether this session has added anything to the store.
        self.changed = False

    @property
    def alive(self) -> int:
        """The open file that shows other sessions that this one lives, as long as any process holds it."""
        return self._sessions.descriptor

    def begin(self, ended: Callable[[str], None]) -> None:
        """Create the session's directory, and remove the traces of killed sessions.

        Args:
            ended: called with the name of each killed session.
        """
        try:
            # The lock is taken before the directory exists, so that no other session takes it for a killed one's.
            self._sessions.take(self.session.name)
            self.session.mkdir()
        except OSError as error:
            raise unwritable(self.root, error) from None
        for left in (self.root / "tmp").iterdir():
            if left != self.session and self._sessions.take(left.name):
                ended(left.name)
                self.discard(left)
                self._sessions.free(left.name)

    async def end(self) -> None:
        """Remove this session's unfinished files, and release everything that it used."""
        self._uses.close()
        self.discard(self.session)
        await self.empty_trash()
        self._sessions.close()

    def discard(self, path: Path) -> bool:
        """Remove a file by a rename, for `empty_trash` to delete; return False for a mount point, which stays."""
        try:
            path.rename(self.root / "trash" / secrets.token_hex(8))
        except FileNotFoundError:
            return True
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            return False
        return True

    async def empty_trash(self) -> None:
        """Delete the trash of this session and of killed ones."""
        await trash.empty(self.root / "trash")

    def snapshot(self, key: str) -> Path:
        """Return the directory of a snapshot, whether or not it exists."""
        return self.root / "snapshots" / key[:24]

    def blob(self, digest: str) -> Path:
        """Return the path of a blob, whether or not it exists."""
        return self.root / "blobs" / "sha256" / digest.removeprefix("sha256:")

    def cache(self, key: str, target: str) -> Path:
        """Return the directory of a cache volume for this session; create it if it does not exist.

        Args:
            key: the volume's name.
            target: the mount point, which tells people the volume's purpose.
        """
        path = self.root / "caches" / key[:24]
        self._uses.share(path.name)
        self.changed = True
        path.mkdir(exist_ok=True)
        self._describe(path.with_suffix(".json"), {"target": target})
        return path

    def temporary(self) -> Path:
        """Return a new directory for unfinished files of this session."""
        path = self.session / secrets.token_hex(4)
        path.mkdir()
        return path

    def found(self, key: str, made_on: str = "") -> Snapshot | None:
        """Return a snapshot for this session without reading its files; None if there is none.

        Args:
            key: the snapshot's key.
            made_on: the id of the snapshot that it must be made on.

        Raises:
            Damaged: the record cannot be read.
            Outdated: the snapshot that it was made on has been made again.
        """
        directory = self.snapshot(key)
        self._uses.share(directory.name)
        try:
            snapshot = read_snapshot(directory)
        except FileNotFoundError:
            if directory.exists():
                raise Damaged from None
            return None
        if snapshot.made_on != made_on:
            raise Outdated
        if not (directory / "diff").is_dir():
            raise Damaged
        os.utime(directory / "meta.json", ns=(self._moment, self._moment))
        return snapshot

    def leave(self, key: str) -> None:
        """Stop using a snapshot."""
        self._uses.free(key[:24])

    async def commit(self, made: Path, key: str, snapshot: Snapshot) -> Snapshot:
        """Give a finished snapshot its final name; an existing one wins.

        Args:
            made: the directory of the unfinished snapshot.
            key: the snapshot's key.
            snapshot: the snapshot's record.
        """
        final = self.snapshot(key)
        self._uses.share(final.name)
        self.changed = True
        os.utime(write_snapshot(snapshot, made), ns=(self._moment, self._moment))
        await asyncio.to_thread(sync_tree, made)
        try:
            made.rename(final)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            self.discard(made)
        return read_snapshot(final)

    def drop(self, key: str) -> bool:
        """Remove a snapshot with the record of its packing; return False if another session uses it."""
        name = key[:24]
        if not self._uses.take(name):
            return False
        self.discard(self.snapshot(name))
        self._uses.share(name)
        return True

    def keep_blob(self, path: Path, digest: str) -> None:
        """Give a finished blob its final name; this session uses it until something refers to it."""
        self._uses.share(digest)
        os.utime(path, (0, 0))
        sync(path)
        path.rename(self.blob(digest))
        sync(self.blob(digest).parent)
        self.written.add(digest)
        self.changed = True

    def has_blob(self, digest: str, size: int) -> bool:
        """Return whether a blob exists and was not written to after it was finished."""
        try:
            status = self.blob(digest).stat()
        except FileNotFoundError:
            return False
        return (status.st_size, status.st_mtime_ns) == (size, 0)

    def write(self, path: Path, value: Any) -> None:
        """Write a document under another name and rename it, so that no reader sees half of it."""
        beside = self.session / secrets.token_hex(4)
        write_text(beside, json.dumps(value))
        beside.rename(path)

    def _describe(self, path: Path, value: Any) -> None:
        """Write a document whose time is that of the last use, unless it exists."""
        with contextlib.suppress(OSError, ValueError):
            if json.loads(path.read_bytes()) == value:
                os.utime(path)
                return
        self.write(path, value)

    @contextlib.asynccontextmanager
    async def lock(self, name: str, on_wait: Callable[[], None] = lambda: None) -> AsyncIterator[None]:
        """Hold a lock between processes, and between tasks of this process, for the duration of a block.

        Args:
            name: the name of the lock.
            on_wait: called once if another holds it.
        """
        locks = Locks(self.root / "locks" / "work")
        try:
            waited = False
            while not locks.take(name):
                if not waited:
                    on_wait()
                    waited = True
                await asyncio.sleep(0.05)
            yield
        finally:
            locks.close()
