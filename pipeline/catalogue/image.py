"""The type of the catalogue's entries."""

from dataclasses import dataclass

from pipeline.checks import Check
from pipeline.steps.install import Install

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Image:
    """One image of the catalogue.

    Args:
        name: under which it is published.
        parent: the name of the image that it is built from; None for the one that is built from the base.
        title: a few words for its label and the catalogue.
        description: a sentence for its label and the catalogue.
        install: what it adds to its parent.
        checks: those of the image, which its children inherit.
        contradicts: the names of inherited checks that its purpose contradicts.
        size_budget: the most that all its files may take, unpacked, in bytes.
    """

    name: str
    parent: str | None
    title: str
    description: str
    install: Install
    checks: tuple[Check, ...]
    size_budget: int
    contradicts: frozenset[str] = frozenset()
