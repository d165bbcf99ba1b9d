"""What the store knows of a finished file system."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any


class Stale(Exception):
    """What is under a snapshot's name is of no use any more."""


class Damaged(Stale):
    """It is not what was put there."""


class Outdated(Stale):
    """What it was made on was made again since."""


@dataclass(frozen=True)
class Snapshot:
    """A finished file system.

    Args:
        id: names this one among all that were ever made under its key.
        made_on: the id of the one that it changes; empty where there is none.
        kind, name: what it is, for people.
        size: bytes on the disk.
        facts: of its survey.
        kept: what its builder wants to know later.
        directory: holds `diff`, and the output of a step.
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
    """Return what is known of a finished snapshot.

    Raises:
        Damaged: its meta.json is not such a document.
        FileNotFoundError: it has none.
    """
    try:
        return Snapshot(**json.loads((directory / "meta.json").read_bytes()), directory=directory)
    except (ValueError, TypeError):
        raise Damaged from None


def write_snapshot(snapshot: Snapshot, directory: Path) -> Path:
    """Write what is known of a file system beside it, and return the file's path."""
    known = {field.name: getattr(snapshot, field.name) for field in fields(snapshot) if field.name != "directory"}
    path = directory / "meta.json"
    path.write_text(json.dumps(known))
    return path
