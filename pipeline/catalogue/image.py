"""What an entry of the catalogue says."""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.build.inputs import Build, Step
from pipeline.checks import Check

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Image:
    """One image of the catalogue.

    Args:
        name: under which it is published.
        parent: the image that it is built from; None for the one that is built from the base.
        title: a few words for its label and the catalogue.
        description: a sentence for its label and the catalogue.
        install: makes the step that adds what the parent has not.
        checks: what must hold in it and in its children.
        contradicts: the names of its parents' checks that its purpose contradicts.
        size_budget: what all its files may take, unpacked, in bytes.
    """

    name: str
    parent: str | None
    title: str
    description: str
    install: Callable[[Build], Step]
    checks: tuple[Check, ...]
    size_budget: int
    contradicts: frozenset[str] = frozenset()
