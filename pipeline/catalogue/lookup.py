"""Images by name, with the checks that images inherit."""

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from pipeline.catalogue.families import FAMILIES
from pipeline.catalogue.image import Image, product
from pipeline.catalogue.lines import LINES
from pipeline.checks import Check
from pipeline.errors import CatalogueError, UnknownImageError

#: All images: each family on each line.
CATALOGUE: tuple[Image, ...] = tuple(product(FAMILIES, LINES))


def by_name(images: Iterable[Image] = CATALOGUE) -> Mapping[str, Image]:
    """Return the images by name, line by line, parents before children, otherwise in the catalogue's order.

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


def of_lines(lines: Iterable[str], images: Iterable[Image] = CATALOGUE) -> Mapping[str, Image]:
    """Return the images of some lines by name, in the order of `by_name`.

    Args:
        lines: the names of the lines.
        images: the catalogue.
    """
    wanted = set(lines)
    return MappingProxyType({name: image for name, image in by_name(images).items() if image.line.name in wanted})


def find(name: str, images: Iterable[Image] = CATALOGUE) -> Image:
    """Return the image of that name.

    Raises:
        UnknownImageError: the catalogue has no such image; the nearest name is suggested.
    """
    known = by_name(images)
    if name in known:
        return known[name]
    raise UnknownImageError(
        f"There is no image {name!r}; did you mean {_nearest(name, known)!r}? The images are {', '.join(known)}."
    )


def select(names: Iterable[str], lines: Iterable[str], images: Iterable[Image] = CATALOGUE) -> tuple[Image, ...]:
    """Return images of some lines.

    Args:
        names: of images, or of families, which stand for their images in each of the lines; none for all images.
        lines: the names of the lines.
        images: the catalogue.

    Raises:
        UnknownImageError: none of the lines has such an image; the nearest name, or its own line, is suggested.
    """
    listed, wanted = list(images), list(lines)
    known = of_lines(wanted, listed)
    found: dict[str, Image] = {}
    for name in names:
        of_family = {image.name: image for image in known.values() if image.family.name == name}
        if name in known:
            of_family.setdefault(name, known[name])
        if not of_family:
            raise UnknownImageError(_unknown(name, wanted, known, listed))
        found |= of_family
    return tuple(found.values() if found else known.values())


def the_only(name: str, lines: Iterable[str], images: Iterable[Image] = CATALOGUE) -> Image:
    """Return the only image of that name, or of that family, in some lines.

    Raises:
        UnknownImageError: the lines have none, or several.
    """
    found = select([name], lines, images)
    if len(found) > 1:
        names = ", ".join(image.name for image in found)
        raise UnknownImageError(f"The lines have several images of {name!r}: {names}; give one --line.")
    return found[0]


def checks_of(image: Image, images: Iterable[Image] = CATALOGUE) -> tuple[Check, ...]:
    """Return an image's inherited checks, without those that it contradicts, and its own."""
    inherited = () if image.parent is None else checks_of(by_name(images)[image.parent], images)
    return (*(check for check in inherited if check.name not in image.family.contradicts), *image.checks)


def _unknown(name: str, lines: list[str], known: Mapping[str, Image], images: list[Image]) -> str:
    elsewhere = [image for image in images if name in (image.name, image.family.name)]
    if not elsewhere:
        return (
            f"There is no image {name!r}; did you mean {_nearest(name, known)!r}? The images of {', '.join(lines)} are "
            f"{', '.join(known)}."
        )
    others = ", ".join(dict.fromkeys(image.line.name for image in elsewhere))
    verb = "does" if len(lines) == 1 else "do"
    return (
        f"{', '.join(lines)} {verb} not have the image {name!r}, and {others} has it; give --line "
        f"{elsewhere[0].line.name}."
    )


def _nearest(name: str, known: Iterable[str]) -> str:
    return difflib.get_close_matches(name, list(known), n=1, cutoff=0.0)[0]


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
