"""Images by name, with the checks that they inherit."""

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from pipeline.catalogue.families import CATALOGUE
from pipeline.catalogue.image import Image
from pipeline.checks import Check
from pipeline.errors import CatalogueError, UnknownImageError


def by_name(images: Iterable[Image] = CATALOGUE) -> Mapping[str, Image]:
    """Return the images by name, parents before children, otherwise in the catalogue's order.

    Raises:
        CatalogueError: a name or parent is wrong: used twice, unknown, or part of a circle.
    """
    listed = list(images)
    known = {image.name: image for image in listed}
    if len(known) < len(listed):
        names = [image.name for image in listed]
        twice = next(name for name in names if names.count(name) > 1)
        raise CatalogueError(f"The catalogue holds the image {twice!r} twice; rename one.")
    placed: dict[str, Image] = {}
    for image in listed:
        for ancestor in reversed(_lineage(image, known)):
            placed.setdefault(ancestor.name, ancestor)
    return MappingProxyType(placed)


def find(name: str, images: Iterable[Image] = CATALOGUE) -> Image:
    """Return the image of that name.

    Raises:
        UnknownImageError: the catalogue has no such image; the nearest name is suggested.
    """
    known = by_name(images)
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    raise UnknownImageError(f"There is no image {name!r}; did you mean {near[0]!r}? The images are {', '.join(known)}.")


def checks_of(image: Image, images: Iterable[Image] = CATALOGUE) -> tuple[Check, ...]:
    """Return an image's inherited checks, without those that it contradicts, and its own."""
    inherited = () if image.parent is None else checks_of(by_name(images)[image.parent], images)
    return (*(check for check in inherited if check.name not in image.contradicts), *image.checks)


def _lineage(image: Image, known: Mapping[str, Image]) -> list[Image]:
    lineage = [image]
    while (parent := lineage[-1].parent) is not None:
        if parent not in known:
            raise CatalogueError(
                f"The parent {parent!r} of the image {lineage[-1].name!r} is not in the catalogue; "
                "add it or correct the name."
            )
        if known[parent] in lineage:
            names = " → ".join([*(ancestor.name for ancestor in lineage), parent])
            raise CatalogueError(f"The images {names} are built from each other; break the circle.")
        lineage.append(known[parent])
    return lineage
