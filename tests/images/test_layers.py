"""What is in the layers of the finished images: only what differs from the layers below."""

import hashlib
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from dev.reproduce.archive import OciArchive, open_archive
from tests.built_images import OF_ONE_LINE

#: The images that no other one is built on; their layers are those of all.
LAST = sorted(OF_ONE_LINE.keys() - {image.parent for image in OF_ONE_LINE.values()})
OPAQUE, WHITEOUT = ".wh..wh..opq", ".wh."


class Tree:
    """The files that the layers so far show, by name."""

    def __init__(self) -> None:
        self._facts: dict[str, Any] = {}
        self._linked: set[str] = set()

    def useless(self, archive: OciArchive, number: int) -> list[str]:
        """Apply a layer, and return the names of the entries that change nothing."""
        found: list[str] = []
        unchanged: list[str] = []
        for (name, _), entry, content in archive.entries(number):
            directory, _, last = name.rpartition("/")
            unchanged = [each for each in unchanged if name != each and not _below(each, name)]
            if last.startswith(WHITEOUT):
                gone = list(self._hidden(directory, last))
                found += [name] * (not gone)
                for each in gone:
                    del self._facts[each]
                continue
            facts = _facts(entry, content)
            if entry.islnk():
                self._linked |= {name, entry.linkname}
            if self._facts.get(name) == facts and name not in self._linked:
                if entry.isdir():
                    unchanged.append(name)  # until something in it is found
                else:
                    found.append(name)
            self._facts[name] = facts
        return found + unchanged

    def _hidden(self, directory: str, mark: str) -> Iterator[str]:
        if mark == OPAQUE:
            return (each for each in self._facts if _below(directory, each))
        gone = f"{directory}/{mark.removeprefix(WHITEOUT)}".lstrip("/")
        return (each for each in self._facts if each == gone or _below(gone, each))


def _below(directory: str, name: str) -> bool:
    return name.startswith(f"{directory}/") or (directory == "." and name != ".")


def _facts(entry: tarfile.TarInfo, content: IO[bytes] | None) -> tuple[object, ...]:
    digest = hashlib.sha256(content.read()).hexdigest() if content else ""
    named = {key: value for key, value in entry.pax_headers.items() if key.startswith("SCHILY.")}
    # A file that was written again with the same content counts as the same, whatever its time.
    owned = (entry.mode, entry.uid, entry.gid, 0 if entry.isreg() else entry.mtime)
    return entry.type, *owned, entry.linkname, entry.devmajor, entry.devminor, named, digest


@pytest.mark.parametrize("name", LAST)
def test_no_layer_repeats_what_the_layers_below_have(archives: dict[str, Path], name: str) -> None:
    tree = Tree()
    with open_archive(archives[name]) as archive:
        assert [tree.useless(archive, number) for number in range(len(archive.layers))] == [[]] * len(archive.layers)
