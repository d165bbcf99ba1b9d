"""build-all, when nothing has changed since the last run: its report, without a build."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.build.base_reference import BaseReference
from pipeline.build.settings import Settings
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
        inputs: digest of all inputs of its images (record.inputs).
        store: the directory of the embedded engine.
        output: where its archives go.
        record: where its record is.
    """

    inputs: str
    store: Path
    output: Path
    record: Path


def request(options: Options, words: list[str]) -> Request | None:
    """Return the build-all of a command line; None if no record is kept of it.

    Args:
        options: the command line's own flags.
        words: the others.
    """
    # The real run reports a malformed setting or an unreadable file.
    with contextlib.suppress(UserError, OSError, unstarted().EngineError):
        if BUILD_ALL not in words or not on_embedded(options):
            return None
        settings = Settings()
        store, output = store_of(options, settings), options.output or DIST
        return Request(record.inputs(words, settings), store, output, record.place(store, output))
    return None


async def report(requested: Request, warn: Callable[[str], None]) -> str | None:
    """Return the report of the last run if another run would return the same; else None.

    Args:
        requested: the run.
        warn: shows the warning that the images are built on a stand-in.
    """
    found = record.read(requested.record)
    if found is None or found.inputs != requested.inputs or (found.replaced and in_ci_job()):
        return None
    # A registry that did not answer may do so by now. The files are compared meanwhile.
    answers = asyncio.ensure_future(_answers(found.replaced))
    holds = await asyncio.to_thread(_holds, found)
    if await answers or not holds:
        return None
    if found.replaced:
        warn(stand_in_warning(found.replaced))
    return (requested.output / REPORT).read_text(encoding="utf-8")


def remember(requested: Request, options: Options, words: list[str], replaced: Mapping[str, str]) -> None:
    """Keep the record of a run that succeeded; if that fails, the next run builds.

    Args:
        requested: the run, as computed before it started.
        options: its options.
        words: its words.
        replaced: stand-ins by the pinned bases that they replaced.
    """
    # The result may or may not contain what changed during the run.
    if request(options, words) != requested:
        return
    with contextlib.suppress(OSError, ValueError, KeyError):
        made = _record(requested, replaced)
        write_beside(requested.record, record.text(made))


def forget() -> None:
    """Remove this user's records of what is no longer there."""
    with contextlib.suppress(OSError):
        for path in record.directory().iterdir():
            found = record.read(path)
            if found is None or not _holds(found):
                path.unlink(missing_ok=True)


async def _answers(replaced: Mapping[str, str]) -> bool:
    return any(await asyncio.gather(*(unstarted().registry_answers(base) for base in replaced)))


def _record(requested: Request, replaced: Mapping[str, str]) -> Record:
    document = json.loads((requested.output / REPORT).read_text(encoding="utf-8"))
    stand_ins = tuple(line["base"] for line in document["lines"] if BaseReference(line["base"]).is_stand_in)
    return Record(
        inputs=requested.inputs,
        store=requested.store.absolute(),
        output=requested.output.absolute(),
        replaced=dict(replaced),
        stand_ins=stand_ins,
        sources=unstarted().stand_in_sources() if stand_ins else "",
        snapshots=tuple(sorted(unstarted().snapshots_in(requested.store))),
        files=_files(requested.output, document),
    )


def _files(output: Path, document: Mapping[str, Any]) -> dict[str, State]:
    names = [REPORT, *(image["archive"] for image in document["images"])]
    return {name: record.state(output / name) for name in names}


def _holds(found: Record) -> bool:
    """Return whether output and store are as the run left them, and a stand-in would be the same."""
    with contextlib.suppress(OSError, ValueError):
        return (
            all(record.state(found.output / name) == state for name, state in found.files.items())
            and set(found.snapshots) <= unstarted().snapshots_in(found.store)
            and (not found.stand_ins or _same_sources(found.sources))
        )
    return False


def _same_sources(sources: str) -> bool:
    # Empty if a stand-in's sources are not known.
    return bool(sources) and unstarted().stand_in_sources() == sources
