"""A build that is real and short, in a process of its own that can be killed.

python -m tests.engine.faults.build STORE BASE OUTPUT WORD EVENTS TEMPORARY is the same by itself.
"""

import asyncio
import hashlib
import io
import json
import multiprocessing
import os
import sys
import tarfile
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.engine.faults.machine import Event, client, on_base, script

#: Its children have what takes long to import.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.engine.faults.build"])
ARCHIVES = ("left.tar", "right.tar")


@dataclass(frozen=True)
class Order:
    """What is to be built.

    Args:
        store: the engine's.
        base: an archive to start from.
        output: where the archives go.
        word: makes it another build.
        events: a file for the events of the engine, JSON lines.
        temporary: the directory for temporary files.
    """

    store: Path
    base: Path
    output: Path
    word: str
    events: Path
    temporary: Path

    def start(self) -> ForkServerProcess:
        """Start it, as the leader of a session."""
        process = CONTEXT.Process(target=_main, args=(self,))
        process.start()
        return process

    @property
    def words(self) -> list[str]:
        """The words of a command that carries it out."""
        fields = (self.store, self.base, self.output, self.word, self.events, self.temporary)
        return [sys.executable, "-m", "tests.engine.faults.build", *map(str, fields)]

    def reported(self) -> list[Event]:
        """The events of the engine so far."""
        return [json.loads(line) for line in self.events.read_text().splitlines() if line.endswith("}")]


def _main(order: Order) -> None:
    os.setsid()
    os.environ["TMPDIR"] = str(order.temporary)
    with order.events.open("a", buffering=1) as file:
        events = _Lines(file)
        asyncio.run(_build(order, events))


class _Lines(list[Event]):
    def __init__(self, file: io.TextIOBase) -> None:
        super().__init__()
        self._file = file

    def append(self, event: Event) -> None:
        self._file.write(json.dumps(event) + "\n")


async def _build(order: Order, events: list[Event]) -> None:
    async with client(order.store, events) as one:
        cache = one.cache_volume("test")
        start = on_base(one, order.base).with_mounted_cache("/cache", cache).with_new_file("/word", order.word)
        common = start.with_exec(script("head -c 1000000 /dev/urandom >/big; mkdir /d; touch /cache/used", "common"))
        siblings = [
            common.with_exec(script("rm -r /d; head -c 300000 /big >/$1", name, name)) for name in ("left", "right")
        ]
        await asyncio.gather(
            *(each.export(str(order.output / name)) for each, name in zip(siblings, ARCHIVES, strict=True))
        )


def require_whole(archive: Path) -> None:
    """Check that every blob of an OCI archive has its digest."""
    with tarfile.open(archive) as tar:
        names = [name for name in tar.getnames() if name.startswith("blobs/sha256/")]
        assert len(names) >= 5
        for name in names:
            content = tar.extractfile(name)
            assert content
            assert hashlib.sha256(content.read()).hexdigest() == name.rpartition("/")[2], f"{archive}: {name}"


if __name__ == "__main__":
    _store, _base, _output, _word, _events, _temporary = sys.argv[1:]
    _main(Order(Path(_store), Path(_base), Path(_output), _word, Path(_events), Path(_temporary)))
