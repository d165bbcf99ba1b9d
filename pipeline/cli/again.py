"""Building all again: the answer to a run of which nothing has changed since the last one."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.build.settings import STAND_IN, Settings
from pipeline.cli import record
from pipeline.cli.delivery import write_beside
from pipeline.cli.options import BUILD_ALL, DIST, REPORT, Options, in_ci_job
from pipeline.cli.record import Record, State
from pipeline.cli.session import on_embedded, stand_in_warning, store_of, unstarted
from pipeline.errors import UserError


@dataclass(frozen=True)
class Request:
    """A run of build-all of which a record can be kept.

    Args:
        inputs: digest of what decides about its images (record.inputs).
        store: the directory of the embedded engine.
        output: where its archives go.
        record: where its record is.
    """

    inputs: str
    store: Path
    output: Path
    record: Path


def request(options: Options, words: list[str]) -> Request | None:
    """Return the run that a command line asks for; None where no record is kept of it.

    Args:
        options: the command line's own flags.
        words: the others.
    """
    # A malformed setting or an unreadable file is for the real run to say.
    with contextlib.suppress(UserError, OSError, unstarted().EngineError):
        if BUILD_ALL not in words or not on_embedded(options):
            return None
        settings = Settings()
        store, output = store_of(options, settings), options.output or DIST
        return Request(record.inputs(words, settings), store, output, record.place(store, output))
    return None


async def report(asked: Request, warn: Callable[[str], None]) -> str | None:
    """Return the report of the last run if another one would end with the same; else None.

    Args:
        asked: the run.
        warn: shows the warning that the images are built on a stand-in.
    """
    found = record.read(asked.record)
    if found is None or found.inputs != asked.inputs or (found.pinned and in_ci_job()):
        return None
    # A registry that gave no answer may give one by now. The files are looked at in the meantime.
    answers = asyncio.ensure_future(_answers(found.pinned))
    holds = await asyncio.to_thread(_holds, found)
    if await answers or not holds:
        return None
    if found.pinned:
        warn(stand_in_warning(found.pinned, found.stand_in))
    return (asked.output / REPORT).read_text(encoding="utf-8")


def remember(asked: Request, options: Options, words: list[str], pinned: str) -> None:
    """Keep the record of a run that has ended well; where that fails, the next run is a real one.

    Args:
        asked: the run, as it was before it started.
        options: its options.
        words: its words.
        pinned: the base of the settings, if a stand-in was taken for it.
    """
    # What has changed meanwhile may be in the result, or not.
    if request(options, words) != asked:
        return
    with contextlib.suppress(OSError, ValueError, KeyError):
        made = _record(asked, pinned)
        write_beside(asked.record, record.text(made))


def forget() -> None:
    """Remove this user's records of what is no longer there."""
    with contextlib.suppress(OSError):
        for path in record.directory().iterdir():
            found = record.read(path)
            if found is None or not _holds(found):
                path.unlink(missing_ok=True)


async def _answers(pinned: str) -> bool:
    return bool(pinned and await unstarted().registry_answers(pinned))


def _record(asked: Request, pinned: str) -> Record:
    document = json.loads((asked.output / REPORT).read_text(encoding="utf-8"))
    stand_in = document["base"] if STAND_IN.fullmatch(document["base"]) else ""
    return Record(
        inputs=asked.inputs,
        store=asked.store.absolute(),
        output=asked.output.absolute(),
        pinned=pinned,
        stand_in=stand_in,
        sources=unstarted().stand_in_sources() if stand_in else "",
        snapshots=tuple(sorted(unstarted().snapshots_in(asked.store))),
        files=_files(asked.output, document),
    )


def _files(output: Path, document: Mapping[str, Any]) -> dict[str, State]:
    names = [REPORT, *(image["archive"] for image in document["images"])]
    return {name: record.state(output / name) for name in names}


def _holds(found: Record) -> bool:
    """Tell whether the output and the store have what the run left, and a stand-in would be the same."""
    with contextlib.suppress(OSError, ValueError):
        return (
            all(record.state(found.output / name) == state for name, state in found.files.items())
            and set(found.snapshots) <= unstarted().snapshots_in(found.store)
            and (not found.stand_in or _same_sources(found.sources))
        )
    return False


def _same_sources(sources: str) -> bool:
    # Empty where it cannot be told what a stand-in is made from.
    return bool(sources) and unstarted().stand_in_sources() == sources
