"""Renews the digests of the lines' bases: looks up each tag in its registry, and writes the answers into lines.py."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.catalogue import lines as literals
from pipeline.catalogue.lines import Line
from pipeline.concurrency import concurrently
from pipeline.errors import ReleaseError
from pipeline.registry.access import Access
from pipeline.release.login import Login
from pipeline.release.upstream import open_upstream

#: The module with the references of the bases.
LINES_FILE = Path(literals.__file__)


@dataclass(frozen=True)
class Renewal:
    """What the tag of a line's base names now.

    Args:
        line: the name of the line.
        before: the reference of its base in the catalogue.
        after: the same tag with the digest that it has in its registry.
    """

    line: str
    before: str
    after: str

    @property
    def has_moved(self) -> bool:
        """Whether the tag names another image now."""
        return self.before != self.after


async def renew_bases(
    write: Callable[[Path, str], None], lines: Iterable[Line] = literals.LINES, file: Path = LINES_FILE
) -> list[Renewal]:
    """Look up the base of each line, and write the digests that have moved; nothing is written if one look-up fails.

    Args:
        write: writes a file completely or not at all.
        lines: the lines.
        file: the module that holds the references, each once.

    Raises:
        ReleaseError: a base has no tag, its tag is gone, or the file does not hold its reference.
        RegistryError: a registry refuses, or does not answer.
    """
    async with Login().access() as access:
        renewals = await concurrently([partial(_looked_up, line, access) for line in lines])
    text = _renewed(renewals, file)
    if any(renewal.has_moved for renewal in renewals):
        write(file, text)
    return renewals


async def _looked_up(line: Line, access: Access) -> Renewal:
    name = line.base.partition("@")[0]
    async with open_upstream(line.base, access) as upstream:
        tag = upstream.reference.tag
        found = await upstream.repository.manifest(tag) if tag else None
    if found is None:
        raise ReleaseError(
            f"The base {name} of {line.name} has no tag, or its registry does not have that tag any more; write "
            f"another reference in {LINES_FILE.name}."
        )
    return Renewal(line.name, line.base, f"{name}@{found.digest}")


def _renewed(renewals: Sequence[Renewal], file: Path) -> str:
    text = file.read_text(encoding="utf-8")
    for renewal in renewals:
        if text.count(f'"{renewal.before}"') != 1:
            raise ReleaseError(
                f"{file} does not hold the base {renewal.before} of {renewal.line} exactly once; restore the file, or "
                "write the digest by hand."
            )
        text = text.replace(f'"{renewal.before}"', f'"{renewal.after}"')
    return text
