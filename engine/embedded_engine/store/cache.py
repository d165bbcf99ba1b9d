"""Maintains a store without a session, as a process: `python -m embedded_engine.store.cache` prints JSON."""

import argparse
import asyncio
import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Any

from embedded_engine.host.errors import BadInput, EngineError
from embedded_engine.host.settings import default_store, natural
from embedded_engine.store.inventory import Inventory, take_inventory
from embedded_engine.store.prune import prune
from embedded_engine.store.store import Store
from embedded_engine.store.verify import verify


def main() -> int:
    """Run the command of the arguments; an error goes to standard error as one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m embedded_engine.store.cache", description=__doc__)
    parser.add_argument("--store", type=Path, help="the directory that keeps images and steps")
    parser.add_argument("--verify", action="store_true", help="read everything, and remove what is damaged")
    parser.add_argument("--prune", action="store_true", help="remove what no running session uses")
    parser.add_argument("--older-than", type=natural, default=0, help="only what was not used for so many seconds")
    parser.add_argument("--keep", type=natural, default=0, help="the least recently used, down to so many bytes")
    given = parser.parse_args()
    os.umask(0o022)
    try:
        print(json.dumps(asyncio.run(_answer(given))))
    except EngineError as error:
        print(json.dumps({"code": error.code, "message": str(error)}), file=sys.stderr)
        return 2
    except OSError as error:
        message = f"{error.filename or given.store}: {error.strerror}; the store cannot be read."
        print(json.dumps({"code": BadInput.code, "message": message}), file=sys.stderr)
        return 2
    return 0


async def _answer(given: argparse.Namespace) -> dict[str, Any]:
    store = Store(given.store or default_store())
    await store.empty_trash()
    answer: dict[str, Any] = {"store": str(store.root)}
    if given.verify:
        answer["damaged"] = [dataclasses.asdict(damage) for damage in await verify(store)]
    if given.prune:
        pruned = await prune(store, older_than=given.older_than * 10**9, keep=given.keep)
        answer["removed"] = dataclasses.asdict(pruned)
    found = take_inventory(store)
    return {**answer, "size": found.size, "entries": _entries(found, store.now // 10**9)}


def _entries(found: Inventory, now: int) -> list[dict[str, Any]]:
    blobs = dict(found.blobs)
    return [
        {
            "kind": entry.kind,
            "name": entry.name,
            # A layer that several entries share counts once.
            "size": entry.size + sum(blobs.pop(digest, 0) for digest in entry.blobs),
            "used": entry.used // 10**9,
            "idle": max(0, now - entry.used // 10**9),
            "in_use": entry.in_use,
        }
        for entry in found.entries
    ]


if __name__ == "__main__":
    sys.exit(main())
