"""Compares the results of earlier sessions with their records, once a session."""

import asyncio
from functools import partial

from embedded_engine.host.once import Once
from embedded_engine.store.snapshot import Snapshot
from embedded_engine.store.store import Store
from embedded_engine.store.survey import file_digest, survey


class Sound:
    """The snapshots and blobs that are known to be undamaged.

    Args:
        store: the store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: Once[bool] = Once()
        #: The ids of the snapshots that this session made.
        self.made: set[str] = set()

    async def snapshot(self, snapshot: Snapshot) -> bool:
        """Compare a snapshot's files with their record."""
        return snapshot.id in self.made or await self._known.get(snapshot.id, partial(_as_recorded, snapshot))

    async def blob(self, digest: str, size: int) -> bool:
        """Return whether a blob exists and has its digest; this reads the blob."""
        if not self._store.has_blob(digest, size):
            return False
        return digest in self._store.written or await self._known.get(digest, partial(self._has_digest, digest))

    async def _has_digest(self, digest: str) -> bool:
        return await asyncio.to_thread(file_digest, self._store.blob(digest)) == digest


async def _as_recorded(snapshot: Snapshot) -> bool:
    return (await asyncio.to_thread(survey, snapshot.directory)).facts == snapshot.facts
