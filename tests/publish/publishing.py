"""A process that pushes a release, for a test to kill: python -m tests.publish.publishing ADDRESS DIRECTORY TAG…"""

import contextlib
import json
import sys
from collections.abc import AsyncIterator, Iterable
from functools import partial
from pathlib import Path

import anyio

from pipeline.registry.access import Access
from pipeline.registry.address import parse_address
from pipeline.registry.registry import open_registry
from pipeline.release.content import ImageContent, read_archive
from pipeline.release.push import Candidate, push_release
from pipeline.release.tags import Tags

_LIST = "release.json"


def write(directory: Path, images: Iterable[Candidate]) -> None:
    """Leave the list of a release beside its archives, for the process."""
    listed = [{"name": image.name, "parent": image.parent, "digest": image.digest} for image in images]
    (directory / _LIST).write_text(json.dumps(listed))


def read(directory: Path) -> list[Candidate]:
    """Return the release of a directory."""
    listed = json.loads((directory / _LIST).read_text())
    return [Candidate(**entry, content=partial(_content, directory / f"{entry['name']}.tar")) for entry in listed]


@contextlib.asynccontextmanager
async def _content(path: Path) -> AsyncIterator[ImageContent]:
    yield read_archive(path)


async def main(address: str, directory: str, tags: list[str]) -> None:
    """Push the release, and say when that begins."""
    async with open_registry(parse_address(address), Access()) as registry:
        print("pushing", flush=True)
        await push_release(registry, Tags(tags[0], tuple(tags[1:])), read(Path(directory)))


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], sys.argv[3:])
