"""The full check of a store: it compares every snapshot and every layer with its record."""

import contextlib
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from embedded_engine.store.inventory import StoreEntry, layer, take_inventory
from embedded_engine.store.locks import Locks
from embedded_engine.store.prune import remove
from embedded_engine.store.snapshot import read_snapshot
from embedded_engine.store.store import Store
from embedded_engine.store.survey import file_digest, stream_digest, survey


@dataclass(frozen=True)
class DamageReport:
    """A damaged entry.

    Args:
        kind, name: the kind and the name of the entry.
        what: the damage.
        removed: whether it was removed, so that it is made again; a running session may still use it.
    """

    kind: str
    name: str
    what: str
    removed: bool


async def verify(store: Store) -> list[DamageReport]:
    """Read the whole store, and remove damaged entries; everything made on them is made again, too."""
    found: list[DamageReport] = []
    with contextlib.closing(Locks(store.root / "locks" / "uses")) as uses:
        for entry in take_inventory(store).entries:
            # A session may remove it in the meantime.
            with contextlib.suppress(FileNotFoundError):
                for damaged, what in _damage(store, entry):
                    found.append(DamageReport(entry.kind, entry.name, what, remove(store, uses, damaged)))
    await store.empty_trash()
    return found


def _damage(store: Store, entry: StoreEntry) -> Iterator[tuple[StoreEntry, str]]:
    if entry.kind == "damaged":
        yield entry, "what it is cannot be read"
    elif entry.id and survey(entry.path).facts != read_snapshot(entry.path).facts:
        yield entry, "files are missing or were changed"
    elif entry.kind == "archive" and not _is_whole(entry.path / "diff/image.tar"):
        yield entry, "its content was changed"
    for digest in entry.blobs:
        if not store.blob(digest).is_file() or file_digest(store.blob(digest)) != digest:
            # The layers of a base come only with the base.
            yield (
                entry if entry.kind == "base" else layer(store, digest),
                f"the content of the layer {digest} was changed",
            )


def _is_whole(archive: Path) -> bool:
    """Check the blobs of an OCI archive against their digests."""
    with contextlib.suppress(tarfile.TarError, OSError), tarfile.open(archive, "r:") as tar:
        blobs = [member for member in tar if member.isfile() and member.name.startswith("blobs/sha256/")]
        contents = ((member.name.rpartition("/")[2], tar.extractfile(member)) for member in blobs)
        return all(content and stream_digest(content) == f"sha256:{name}" for name, content in contents)
    return False
