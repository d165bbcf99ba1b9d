"""The types of the catalogue's entries: an image is a family on a line."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipeline.catalogue.lines import Line
from pipeline.checks import Check
from pipeline.steps.install import UNWANTED, Install

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Family:
    """What images are for, on whatever distribution.

    Args:
        name: under which its images are published, without the suffix of a line.
        parent: the name of the family that it is built from; None for the one that is built from the base.
        title: a few words for labels and the catalogue.
        description: a sentence for labels and the catalogue.
        install: what it adds to its parent.
        checks: those of the family, which its children inherit.
        contradicts: the names of inherited checks that its purpose contradicts.
        size_budget: the most that all files of an image may take, unpacked, in bytes.
        without: the names of lines that do not have it.
    """

    name: str
    parent: str | None
    title: str
    description: str
    install: Install
    checks: tuple[Check, ...]
    size_budget: int
    contradicts: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Image:
    """One image of the catalogue.

    Args:
        family: what it is for.
        line: what it is built on.
    """

    family: Family
    line: Line

    @property
    def name(self) -> str:
        """The name under which it is published."""
        return self.family.name + self.line.suffix

    @property
    def parent(self) -> str | None:
        """The name of the image that it is built from; None for one that is built from the base."""
        return None if self.family.parent is None else self.family.parent + self.line.suffix

    @property
    def title(self) -> str:
        """A few words for its label and the catalogue."""
        return self.family.title

    @property
    def description(self) -> str:
        """A sentence for its label and the catalogue."""
        return self.family.description

    @property
    def install(self) -> Install:
        """What it adds to its parent; the first image also removes what the base should not have brought."""
        install = self.family.install
        if self.family.parent is not None:
            return install
        return replace(install, files={**install.files, UNWANTED: self.line.unwanted})

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks of its family, without those that it inherits."""
        return self.family.checks

    @property
    def size_budget(self) -> int:
        """The most that all its files may take, unpacked, in bytes."""
        return self.family.size_budget


def product(families: tuple[Family, ...], lines: tuple[Line, ...]) -> Iterator[Image]:
    """Yield the images of each line, in the order of the families, without those that a line does not have."""
    for line in lines:
        yield from (Image(family, line) for family in families if line.name not in family.without)
