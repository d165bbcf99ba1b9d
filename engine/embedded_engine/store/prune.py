"""Removes the least recently used entries first, and never one that a running session uses."""

import contextlib
import heapq
import itertools
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from embedded_engine.store.inventory import Inventory, StoreEntry, layer, take_inventory
from embedded_engine.store.locks import Locks
from embedded_engine.store.store import Store


@dataclass(frozen=True)
class Pruned:
    """The numbers of removed entries and bytes."""

    count: int
    size: int


async def prune(store: Store, *, older_than: int = 0, keep: int = 0) -> Pruned:
    """Remove entries until the store is small enough.

    A snapshot is removed after all snapshots made on it. Each is renamed first, so a killed prune leaves an undamaged
    store.

    Args:
        store: the store.
        older_than: remove only entries that were not used for so many nanoseconds.
        keep: the size in bytes at which to stop.
    """
    _mend_times(store)
    with contextlib.closing(Locks(store.root / "locks" / "uses")) as uses:
        pruned = _Prune(store, take_inventory(store), uses).until(keep, store.now - older_than)
    await store.empty_trash()
    return pruned


class _Prune:
    def __init__(self, store: Store, found: Inventory, uses: Locks) -> None:
        self._store, self._found, self._uses = store, found, uses
        self._by_id = {entry.id: entry for entry in found.entries if entry.id}
        self._made_on_it = Counter(below for entry in found.entries for below in entry.made_on)
        self._in_it = Counter(digest for entry in found.entries for digest in entry.blobs)

    def until(self, keep: int, before: int) -> Pruned:
        number = itertools.count()  # keeps entries of the same time from being compared
        ends = [(one.used, next(number), one) for one in self._found.entries if not self._made_on_it[one.id]]
        heapq.heapify(ends)
        count, left = 0, self._found.size
        # Entries without a size go too, unless some may stay.
        while ends and (left > keep or not keep):
            used, _, entry = heapq.heappop(ends)
            if used > before:
                break
            if not remove(self._store, self._uses, entry):
                continue
            count += 1
            left -= entry.size + self._blobs_of(entry)
            for below in entry.made_on:
                self._made_on_it[below] -= 1
                if not self._made_on_it[below] and below in self._by_id:
                    heapq.heappush(ends, (self._by_id[below].used, next(number), self._by_id[below]))
        return Pruned(count, self._found.size - left)

    def _blobs_of(self, entry: StoreEntry) -> int:
        """Remove the blobs that belong to no other entry, and return their size."""
        self._in_it.subtract(entry.blobs)
        size = 0
        for digest in entry.blobs:
            if not self._in_it[digest] and remove(self._store, self._uses, layer(self._store, digest)):
                size += self._found.blobs.get(digest, 0)
        return size


def remove(store: Store, uses: Locks, entry: StoreEntry) -> bool:
    """Remove an entry; return False if a running session uses it, or something is mounted on it."""
    if not uses.take(entry.key):
        return False
    if (gone := store.discard(entry.path)) and entry.kind == "volume":
        entry.path.with_suffix(".json").unlink(missing_ok=True)
    uses.free(entry.key)
    return gone


def _mend_times(store: Store) -> None:
    """Move last uses in the future to now, in their order, because the clock was set back."""
    future = sorted(dated for dated in _dated(store) if dated[0] > store.now)
    for number, (_, path) in enumerate(future):
        with contextlib.suppress(FileNotFoundError):
            os.utime(path, ns=(store.now + number, store.now + number))


def _dated(store: Store) -> Iterator[tuple[int, Path]]:
    for pattern in ("snapshots/*/meta.json", "caches/*.json", "clock"):
        for path in store.root.glob(pattern):
            with contextlib.suppress(FileNotFoundError):
                yield path.stat().st_mtime_ns, path
