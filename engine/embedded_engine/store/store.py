"""The directory that keeps what was made: snapshots by key, blobs by digest, cache volumes.

    version                     the layout's number
    ids                         whose it is: the ids that its files have on this machine
    snapshots/KEY/diff          what the step changed, as an overlayfs layer; its output lies beside
    snapshots/KEY/meta.json     what it is, and what it consists of; the file's time is that of its last use
    snapshots/KEY/packed.*.json which blob it was packed into
    blobs/sha256/HEX            compressed layers; their time is 0, so that a later change shows
    caches/KEY                  cache volumes; KEY.json beside says where one was mounted
    locks/                      what is being made, and what running sessions use (locks.py)
    clock                       its time is the newest last use
    tmp/SESSION/                what a running session is writing
    trash/                      what is being deleted

A result is written below tmp, brought onto the disk (durable.py) and then renamed, and what goes is renamed first:
whatever has its final name is whole, also after the power went.
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
    """The store, opened.

    Args:
        root: its directory, made if it is not there.

    Raises:
        NotPermitted, DiskFull, BadInput: as `prepare` says.
    """

    def __init__(self, root: Path) -> None:
        self.root = root = prepare(root)
        self._sessions = Locks(root / "locks" / "sessions")
        self._uses = Locks(root / "locks" / "uses")
        self.session = root / "tmp" / secrets.token_hex(6)
        #: Digests of blobs that this session wrote.
        self.written: set[str] = set()
        #: Nanoseconds since 1970; and what this session's last uses are dated with.
        self.now = time.time_ns()
        self._moment = next_moment(root / "clock", self.now)
        #: Whether this session has put something into the store.
        self.changed = False

    @property
    def alive(self) -> int:
        """The open file that tells others that this session lives, as long as any process has it."""
        return self._sessions.descriptor

    def begin(self, ended: Callable[[str], None]) -> None:
        """Make room for a session, and remove what sessions left that were killed.

        Args:
            ended: called with the name of each of those.
        """
        try:
            # Held before the directory is there, so that nobody takes it for one that was left.
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
        """Remove what this session was writing, and let go of what it used."""
        self._uses.close()
        self.discard(self.session)
        await self.empty_trash()
        self._sessions.close()

    def discard(self, path: Path) -> bool:
        """Take something away at once, and let `empty_trash` delete it; return False for a mount point, which stays."""
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
        """Delete what was taken away, by this session or by one that was killed."""
        await trash.empty(self.root / "trash")

    def snapshot(self, key: str) -> Path:
        """Return the directory of a snapshot, whether or not it is there."""
        return self.root / "snapshots" / key[:24]

    def blob(self, digest: str) -> Path:
        """Return the path of a blob, whether or not it is there."""
        return self.root / "blobs" / "sha256" / digest.removeprefix("sha256:")

    def cache(self, key: str, target: str) -> Path:
        """Return the directory of a cache volume, made if it is not there, for use by this session.

        Args:
            key: names it.
            target: where it is mounted, which tells people what it is for.
        """
        path = self.root / "caches" / key[:24]
        self._uses.share(path.name)
        self.changed = True
        path.mkdir(exist_ok=True)
        self._describe(path.with_suffix(".json"), {"target": target})
        return path

    def temporary(self) -> Path:
        """Return a new directory in this session's place for unfinished things."""
        path = self.session / secrets.token_hex(4)
        path.mkdir()
        return path

    def found(self, key: str, made_on: str = "") -> Snapshot | None:
        """Return a snapshot for use by this session, its files unread; None where there is none.

        Args:
            key: names it.
            made_on: the id of the one that it has to be made on.

        Raises:
            Damaged: it cannot be read.
            Outdated: what it was made on was made again since.
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
        """Use a snapshot no longer."""
        self._uses.free(key[:24])

    async def commit(self, made: Path, key: str, snapshot: Snapshot) -> Snapshot:
        """Give a finished snapshot its final name; one that is there already wins.

        Args:
            made: its directory in this session's place.
            key: names it.
            snapshot: what is known of it.
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
        """Take a snapshot away, with what is known of its packing; False if another session uses it."""
        name = key[:24]
        if not self._uses.take(name):
            return False
        self.discard(self.snapshot(name))
        self._uses.share(name)
        return True

    def keep_blob(self, path: Path, digest: str) -> None:
        """Give a finished blob its final name; it is in use by this session until something refers to it."""
        self._uses.share(digest)
        os.utime(path, (0, 0))
        sync(path)
        path.rename(self.blob(digest))
        sync(self.blob(digest).parent)
        self.written.add(digest)
        self.changed = True

    def has_blob(self, digest: str, size: int) -> bool:
        """Return whether a blob is there and was not written to since."""
        try:
            status = self.blob(digest).stat()
        except FileNotFoundError:
            return False
        return (status.st_size, status.st_mtime_ns) == (size, 0)

    def write(self, path: Path, value: Any) -> None:
        """Write a document beside and rename it, so that no reader sees half of it."""
        beside = self.session / secrets.token_hex(4)
        write_text(beside, json.dumps(value))
        beside.rename(path)

    def _describe(self, path: Path, value: Any) -> None:
        """Write a document whose time is that of the last use, unless it is there already."""
        with contextlib.suppress(OSError, ValueError):
            if json.loads(path.read_bytes()) == value:
                os.utime(path)
                return
        self.write(path, value)

    @contextlib.asynccontextmanager
    async def lock(self, name: str, on_wait: Callable[[], None] = lambda: None) -> AsyncIterator[None]:
        """Hold a lock between processes, and between tasks of this one, for the time of a block.

        Args:
            name: what is locked.
            on_wait: called once if somebody else holds it.
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
