"""The record of a finished file system."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any


class Stale(Exception):
    """A snapshot is no longer usable."""


class Damaged(Stale):
    """The snapshot differs from its record."""


class Outdated(Stale):
    """The snapshot that it was made on has been made again."""


@dataclass(frozen=True)
class Snapshot:
    """A finished file system.

    Args:
        id: distinguishes it from all others made under its key.
        made_on: the id of the snapshot that it changes; empty if there is none.
        kind, name: the kind and the name for people.
        size: the size in bytes on the disk.
        facts: the digest of its survey.
        kept: the data that its maker keeps.
        directory: the directory with `diff` and the output of a step.
    """

    id: str
    made_on: str
    kind: str
    name: str
    size: int
    facts: str
    kept: Mapping[str, Any]
    directory: Path = Path()


def read_snapshot(directory: Path) -> Snapshot:
    """Return the record of a finished snapshot.

    Raises:
        Damaged: meta.json is not such a document.
        FileNotFoundError: meta.json is missing.
    """
    try:
        return Snapshot(**json.loads((directory / "meta.json").read_bytes()), directory=directory)
    except (ValueError, TypeError):
        raise Damaged from None


def write_snapshot(snapshot: Snapshot, directory: Path) -> Path:
    """Write the record of a file system beside it, and return the file's path."""
    known = {field.name: getattr(snapshot, field.name) for field in fields(snapshot) if field.name != "directory"}
    path = directory / "meta.json"
    path.write_text(json.dumps(known))
    return path
