"""A process that exports a directory, for a test to kill: python -m tests.cli.exporting STORE OUTPUT WORD…

Each word is one directory: two files of that word, and a third one that describes them. Each is exported when a line
comes in.
"""

import asyncio
import hashlib
import json
import sys
from pathlib import Path

import dagger
from embedded_engine.session import open_session

from pipeline.cli.delivery import export_directory
from tests.clients import connected

NAMES = ("a.tar", "z.tar")
REPORT = "report.json"
SIZE = 2_000_000


def contents(word: str) -> dict[str, str]:
    """Return the files of a word."""
    files = {name: f"{name} {word} ".ljust(SIZE, ".") for name in NAMES}
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}
    return {**files, REPORT: json.dumps(digests)}


def directory(client: dagger.Client, word: str) -> dagger.Directory:
    """Return a directory with the files of a word."""
    made = client.directory()
    for name, text in contents(word).items():
        made = made.with_new_file(name, text)
    return made


def is_whole(output: Path) -> bool:
    """Return whether a directory has what its report describes, and no report where it does not."""
    files = {path.name: path for path in output.iterdir() if not path.name.startswith(".")}
    if REPORT not in files:
        return True
    described = json.loads(files[REPORT].read_text())
    found = {name: hashlib.sha256(files[name].read_bytes()).hexdigest() for name in NAMES if name in files}
    return bool(described == found)


async def main(store: str, output: str, *words: str) -> None:
    """Export one after the other."""
    async with open_session(store=Path(store)) as session, connected(session) as client:
        made = [await directory(client, word).sync() for word in words]
        for one in made:
            print("ready", flush=True)
            await asyncio.to_thread(sys.stdin.readline)
            await export_directory(one, Path(output), last=REPORT)
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
