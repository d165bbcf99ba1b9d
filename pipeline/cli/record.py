"""The record of a finished build-all: its inputs and its outputs.

While none of them has changed, the same run would find every step in the store and every archive in its place, and
return the same report. Comparing them takes less time than importing Dagger's SDK. If anything is missing, changed or
unreadable, the run builds.
Records are in the user's cache directory. A record without its store or its output is void, and `ska-images cache
--prune` removes it.
"""

import contextlib
import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.build.settings import PYPROJECT, Settings
from pipeline.catalogue.lines import find_line
from pipeline.checksum import sha256
from pipeline.cli.session import unstarted

#: Increased when the fields of a record change, or the conditions that it holds under.
FORMAT = 3
#: The state of a file without its content: size, times of change in nanoseconds, and inode.
State = tuple[int, ...]


@dataclass(frozen=True)
class Record:
    """The inputs and outputs of one run.

    Args:
        inputs: digest of all inputs of the images.
        store: the embedded engine's store, absolute.
        output: the directory of the archives, absolute.
        replaced: stand-ins by the pinned bases that they replaced, because no registry answered.
        stand_ins: all stand-in bases.
        sources: digest of the sources of the stand-ins; empty without stand-ins.
        snapshots: in the store after the run.
        files: each file of the output by its name.
    """

    inputs: str
    store: Path
    output: Path
    replaced: Mapping[str, str]
    stand_ins: tuple[str, ...]
    sources: str
    snapshots: tuple[str, ...]
    files: Mapping[str, State]


def read(path: Path) -> Record | None:
    """Return a record, or None if it is missing or unreadable."""
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError, KeyError):
        found = json.loads(path.read_text())
        files = {name: tuple(state) for name, state in found.pop("files").items()}
        store, output = Path(found.pop("store")), Path(found.pop("output"))
        stand_ins, snapshots = tuple(found.pop("stand_ins")), tuple(found.pop("snapshots"))
        return Record(files=files, stand_ins=stand_ins, snapshots=snapshots, store=store, output=output, **found)
    return None


def text(record: Record) -> str:
    """Return a record in the format of `read`."""
    return json.dumps(asdict(record), default=str)


def directory() -> Path:
    """Return the directory of this user's records: https://specifications.freedesktop.org/basedir-spec/0.8/.

    Raises:
        OSError: the user has no home directory, or it is another user's, as with `sudo --preserve-env`.
    """
    # The specification ignores relative paths.
    if not (caches := Path(os.environ.get("XDG_CACHE_HOME", ""))).is_absolute():
        caches = _home() / ".cache"
    records = caches / "ska-images" / "records"
    there = next(path for path in (records, *records.parents) if path.exists())
    if there.stat().st_uid != os.geteuid():
        raise OSError(f"{there} is another user's")
    return records


def _home() -> Path:
    with contextlib.suppress(RuntimeError):
        if (home := Path.home()).is_absolute():
            return home
    raise OSError("this user has no home directory")


def place(store: Path, output: Path) -> Path:
    """Return the path of the record of a store and an output directory.

    Raises:
        OSError: this user has no directory for records.
    """
    pair = json.dumps([str(store.absolute()), str(output.absolute())])
    return directory() / f"{hashlib.sha256(pair.encode()).hexdigest()[:24]}.json"


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
        # It depends on which settings were given, too.
        [settings.snapshot_of(settings.base_of(find_line(name))) for name in settings.lines],
        sha256(PYPROJECT),
        [[name, sha256(path)] for name, path in _sources()],
        # The versions of the SDK and of the compressors are in the names of these directories.
        sorted({path.name for entry in sys.path for path in Path(entry).glob("*.dist-info")}),
        [sys.version, platform.machine()],
    ]
    return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()


def packages() -> tuple[Path, Path]:
    """Return the directories of what builds: the module and the embedded engine."""
    return Path(__file__).parents[1], Path(str(unstarted().__file__)).parent


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
        for package in packages()
        for path in sorted(package.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    ]


def _files_among(words: Iterable[str]) -> list[Path]:
    """Return the files that words name, as in `--base-archive FILE` and `--base-archive=FILE`."""
    parts = [Path(part) for word in words for part in (word, word.partition("=")[2]) if part]
    return [path for path in parts if path.is_file()]
