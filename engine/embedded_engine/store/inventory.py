"""Lists the content of a store: its snapshots with their blobs, and its cache volumes."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from embedded_engine.store.locks import Locks
from embedded_engine.store.snapshot import Damaged, read_snapshot
from embedded_engine.store.store import Store
from embedded_engine.store.survey import survey


@dataclass(frozen=True)
class StoreEntry:
    """An entry that can be removed by itself.

    Args:
        path: the path of the entry.
        kind: base, step, files, host files, archive, volume, layer or damaged.
        name: the name for people.
        size: the size in bytes on the disk, without blobs.
        used: the time of the last use, in nanoseconds since 1970.
        in_use: whether a running session uses it.
        id: the id of a snapshot.
        made_on: the ids of the snapshots that it needs.
        blobs: the digests of its layers.
    """

    path: Path
    kind: str
    name: str
    size: int
    used: int
    in_use: bool
    id: str = ""
    made_on: frozenset[str] = frozenset()
    blobs: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """The name of the entry's lock: the name of its directory, or its digest."""
        return f"sha256:{self.path.name}" if self.kind == "layer" else self.path.name


@dataclass(frozen=True)
class Inventory:
    """The content of a store.

    Args:
        entries: the entries.
        blobs: the sizes of all blobs by digest.
    """

    entries: tuple[StoreEntry, ...]
    blobs: dict[str, int]

    @property
    def size(self) -> int:
        """The size in bytes on the disk."""
        return sum(entry.size for entry in self.entries) + sum(self.blobs.values())


def take_inventory(store: Store) -> Inventory:
    """Examine the whole store; it walks volumes, and reads the recorded sizes of snapshots."""
    blobs = {f"sha256:{path.name}": path.stat().st_size for path in (store.root / "blobs/sha256").iterdir()}
    locks = Locks(store.root / "locks" / "uses")
    try:
        entries = [*_snapshots(store, locks), *_volumes(store, locks)]
        lost = blobs.keys() - {digest for entry in entries for digest in entry.blobs}
        entries += [layer(store, digest, in_use=_used(locks, digest)) for digest in lost]
    finally:
        locks.close()
    return Inventory(tuple(entries), blobs)


def layer(store: Store, digest: str, *, in_use: bool = False) -> StoreEntry:
    """Return the entry of a blob without a snapshot."""
    return StoreEntry(store.blob(digest), "layer", digest, 0, 0, in_use, blobs=frozenset((digest,)))


def _used(locks: Locks, key: str) -> bool:
    if not locks.take(key):
        return True
    locks.free(key)
    return False


def _snapshots(store: Store, locks: Locks) -> Iterator[StoreEntry]:
    for path in (store.root / "snapshots").iterdir():
        used = _used(locks, path.name)
        try:
            known = read_snapshot(path)
            moment = (path / "meta.json").stat().st_mtime_ns
        except (Damaged, OSError):
            yield StoreEntry(path, "damaged", path.name, survey(path).size, 0, used)
            continue
        layers = {layer["digest"] for layer in known.kept.get("layers", ())} | set(_packed(path))
        below = frozenset(filter(None, known.made_on.split(".")))
        yield StoreEntry(path, known.kind, known.name, known.size, moment, used, known.id, below, frozenset(layers))


def _packed(path: Path) -> Iterator[str]:
    for record in path.glob("*packed.*.json"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            yield json.loads(record.read_bytes())["digest"]


def _volumes(store: Store, locks: Locks) -> Iterator[StoreEntry]:
    for path in (store.root / "caches").iterdir():
        if path.is_dir():
            used, target = 0, path.name
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                used = path.with_suffix(".json").stat().st_mtime_ns
                target = json.loads(path.with_suffix(".json").read_bytes())["target"]
            yield StoreEntry(path, "volume", target, survey(path).size, used, _used(locks, path.name))
