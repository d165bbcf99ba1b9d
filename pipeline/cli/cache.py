"""`ska-images cache`: shows and prunes the embedded engine's store."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from pipeline.build.amounts import parse_age, parse_size
from pipeline.cli.again import forget
from pipeline.cli.options import Options, Parser, UsageError
from pipeline.cli.session import tend_store
from pipeline.cli.summary import aligned, size
from pipeline.escape import escaped

COMMAND = "cache"
SUMMARY = "Show the embedded engine's store, and remove old entries."
HELP = f"""\
Usage: ska-images {COMMAND} [flags]

{SUMMARY}

Without flags it lists bases, steps, archives and cache volumes with their size
and last use. A volume is named by where steps mount it: /mnt holds downloaded
packages and wheels. A build makes removed entries again when it needs them.
Entries in use by a running build are never removed.

Flags:
  --prune                 Remove entries that no running build uses.
  --older-than AGE        With --prune: only entries that no build has used for
                          AGE, such as 12h, 7d or 2w.
  --keep SIZE             With --prune: remove the least recently used entries
                          until at most SIZE is left, such as 10GB.
  --verify                Read all entries, and remove damaged ones; the exit
                          code is 1 if there were any.

Global flags: --json prints everything as JSON; --store names the directory.
After each build, the engine prunes the directory to the setting cache_quota
(20GB; 0 for no limit)."""

#: The most rows shown; the rest is summed up in one.
_ROWS = 20
_NAME_LENGTH = 44
_HEADER = ("KIND", "NAME", "SIZE", "LAST USED")


async def cache(options: Options, words: Sequence[str]) -> tuple[str, int]:
    """Run the command.

    Args:
        options: `json` and `store` are read.
        words: those after `cache`.

    Returns:
        The output, and the exit code.

    Raises:
        UsageError: a word is unknown or malformed.
        SkaError: the store cannot be used.
    """
    arguments = _arguments(words)
    answer = await tend_store(options, arguments)
    if "--prune" in arguments:
        forget()
    code = 1 if answer.get("damaged") else 0
    return (json.dumps(_dated(answer), indent=4) if options.json else text(answer)), code


def _arguments(words: Sequence[str]) -> list[str]:
    """Return the arguments of the engine's program, in seconds and bytes."""
    parser = Parser()
    for flag in ("--prune", "--verify"):
        parser.add_argument(flag, action="store_true")
    for flag in ("--older-than", "--keep"):
        parser.add_argument(flag)
    given, unknown = parser.parse_known_args(list(words))
    if unknown:
        raise UsageError(f'unexpected word "{unknown[0]}"; see `ska-images {COMMAND} --help`.')
    limits = []
    if given.older_than is not None:
        limits.append(f"--older-than={_seconds(given.older_than)}")
    if given.keep is not None:
        limits.append(f"--keep={_bytes(given.keep)}")
    if limits and not given.prune:
        raise UsageError("--older-than and --keep limit what --prune removes; add --prune.")
    return [*(f"--{name}" for name in ("prune", "verify") if getattr(given, name)), *limits]


def _seconds(text: str) -> int:
    if (age := parse_age(text)) is None:
        raise UsageError(f'--older-than takes an age such as 12h, 7d or 2w, not "{text}".')
    return age


def _bytes(text: str) -> int:
    if (size := parse_size(text)) is None:
        raise UsageError(f'--keep takes a size such as 500MB or 10GB, not "{text}".')
    return size


def _dated(answer: Mapping[str, Any]) -> dict[str, Any]:
    def moment(seconds: int) -> str | None:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else None

    entries = [{**entry, "used": moment(entry["used"])} for entry in answer["entries"]]
    return {**answer, "entries": entries}


def text(answer: Mapping[str, Any]) -> str:
    """Return an answer as text.

    Args:
        answer: the result of session.tend_store.
    """
    entries = answer["entries"]
    lines = [
        escaped(f"{damage['kind']} {damage['name']}: {damage['what']}; ")
        + ("it is removed." if damage["removed"] else "a running build uses it.")
        for damage in answer.get("damaged", ())
    ]
    if "damaged" in answer and not lines:
        lines.append("Everything is as it was written.")
    if "removed" in answer:
        lines.append(f"{_count(answer['removed']['count'])} removed, {size(answer['removed']['size'])}.")
    if not lines and entries:
        lines += [aligned(_rows(entries)), ""]
    used = sum(entry["in_use"] for entry in entries)
    in_use = f", {used} in use" if used else ""
    limit = f" of {size(answer['quota'])}" if answer["quota"] else ""
    lines.append(f"{size(answer['size'])}{limit} in {answer['store']}: {_count(len(entries))}{in_use}.")
    return "\n".join(lines)


def _count(number: int) -> str:
    return "1 entry" if number == 1 else f"{number} entries"


def _rows(entries: Iterable[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for entry in entries:
        groups.setdefault((entry["kind"], entry["name"]), []).append(entry)
    ordered = sorted(groups.items(), key=lambda group: -_total(group[1]))
    rows = [_HEADER, *(_row(kind, name, members) for (kind, name), members in ordered[:_ROWS])]
    if rest := [entry for _, members in ordered[_ROWS:] for entry in members]:
        rows.append(_row("", f"{len(rest)} more", rest))
    return rows


def _row(kind: str, name: str, members: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    name = escaped(name)
    shown = name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 3]}..."
    several = f" ({len(members)})" if len(members) > 1 and kind else ""
    used = "in use" if any(entry["in_use"] for entry in members) else _ago(min(entry["idle"] for entry in members))
    return kind, shown + several, size(_total(members)), used


def _total(members: Iterable[Mapping[str, Any]]) -> int:
    return sum(entry["size"] for entry in members)


def _ago(seconds: int) -> str:
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if number := seconds // length:
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return "just now"
