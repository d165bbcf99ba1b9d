"""The record of a finished build-all: its inputs and its outputs.

While none of them has changed, the same run would find every step in the store and every archive in its place, and
return the same report. Comparing them takes less time than importing Dagger's SDK. If anything is missing, changed or
unreadable, the run builds.
"""

import contextlib
import hashlib
import json
import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import embedded_engine

from pipeline.build.settings import PYPROJECT, Settings
from pipeline.checksum import sha256

#: Increased when the fields of a record change, or the conditions that it holds under.
FORMAT = 1
#: The code that builds: the module and the embedded engine.
PACKAGES = (Path(__file__).parent.parent, Path(embedded_engine.__file__).parent)
#: The state of a file without its content: size, times of change in nanoseconds, and inode.
State = tuple[int, ...]


@dataclass(frozen=True)
class Record:
    """The inputs and outputs of one run.

    Args:
        inputs: digest of all inputs of the images.
        pinned: the base of the settings, if a stand-in replaced it because no registry answered; else empty.
        stand_in: the stand-in base; empty for another base.
        sources: digest of the sources of the stand-in.
        snapshots: in the store after the run.
        files: each file of the output by its name.
    """

    inputs: str
    pinned: str
    stand_in: str
    sources: str
    snapshots: tuple[str, ...]
    files: Mapping[str, State]


def read(path: Path) -> Record | None:
    """Return a record, or None if it is missing or unreadable."""
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError, KeyError):
        found = json.loads(path.read_text())
        files = {name: tuple(state) for name, state in found.pop("files").items()}
        return Record(files=files, snapshots=tuple(found.pop("snapshots")), **found)
    return None


def text(record: Record) -> str:
    """Return a record in the format of `read`."""
    return json.dumps(asdict(record))


def place(store: Path, output: Path) -> Path:
    """Return the path of the record of an output directory; each has one, because a run replaces all of its output."""
    name = hashlib.sha256(str(output.absolute()).encode()).hexdigest()
    return store / "records" / f"{name[:24]}.json"


def inputs(words: Iterable[str], settings: Settings) -> str:
    """Return the digest of all inputs of the images, except a stand-in's sources.

    Args:
        words: the command line without its own flags.
        settings: from the environment, .env and pyproject.toml.

    Raises:
        OSError: a file cannot be read.
    """
    listed = list(words)
    decisive: list[Any] = [
        FORMAT,
        listed,
        [sha256(path) for path in _files_among(listed)],
        settings.model_dump_json(),
        settings.labels,
        settings.snapshot_id,  # it depends on which settings were given, too
        sha256(PYPROJECT),
        [[name, sha256(path)] for name, path in _sources()],
        # The versions of the SDK and of the compressors are in the names of these directories.
        sorted({path.name for entry in sys.path for path in Path(entry).glob("*.dist-info")}),
        [sys.version, platform.machine()],
    ]
    return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()


def state(path: Path) -> State:
    """Return values that change when a file is written or replaced.

    Raises:
        OSError: it is not there.
    """
    found = path.stat()
    return (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def _sources() -> list[tuple[str, Path]]:
    return [
        (str(path.relative_to(package.parent)), path)
        for package in PACKAGES
        for path in sorted(package.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    ]


def _files_among(words: Iterable[str]) -> list[Path]:
    """Return the files that words name, as in `--base-archive FILE` and `--base-archive=FILE`."""
    parts = [Path(part) for word in words for part in (word, word.partition("=")[2]) if part]
    return [path for path in parts if path.is_file()]
