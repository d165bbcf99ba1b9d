"""Finds the release that an image stands on, by its layers alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from pipeline.build.version import Version
from pipeline.catalogue.lookup import by_name
from pipeline.concurrency import concurrently
from pipeline.registry.registry import Registry
from pipeline.release.published import Published, find_published

#: How many releases of an image are compared, the newest first.
_MOST_RELEASES = 200


@dataclass(frozen=True)
class ReleasedImage:
    """An image of a release.

    Args:
        name: the image's name.
        version: of the release.
        image: the image in the registry.
    """

    name: str
    version: str
    image: Published


async def read_releases(registry: Registry) -> list[ReleasedImage]:
    """Read all releases of all images of the catalogue, the newest first.

    Raises:
        RegistryError: the registry refuses, or does not answer.
    """
    names = list(by_name())
    tags = await concurrently([registry.repository(name).tags for name in names])
    listed = [(name, version) for name, found in zip(names, tags, strict=True) for version in _versions(found)]
    jobs = [partial(find_published, registry.repository(name), version) for name, version in listed]
    images = zip(listed, await concurrently(jobs), strict=True)
    return [ReleasedImage(name, version, image) for (name, version), image in images if image is not None]


def stands_on(image: Published, releases: Iterable[ReleasedImage]) -> ReleasedImage | None:
    """Return the release whose layers an image begins with; None for an image that is not built on ours.

    The most layers win, and among equal ones the newest version. The configuration of an image claims its layers, so
    the image's owner can only deceive himself.

    Args:
        image: the image.
        releases: the newest first.
    """
    below = [one for one in releases if one.image.diff_ids == image.diff_ids[: len(one.image.diff_ids)]]
    return max(below, key=lambda one: len(one.image.diff_ids), default=None)


def newest_of(releases: Iterable[ReleasedImage]) -> Mapping[str, ReleasedImage]:
    """Return the newest release of each image, by the images' names.

    Args:
        releases: the newest first.
    """
    found: dict[str, ReleasedImage] = {}
    for one in releases:
        found.setdefault(one.name, one)
    return found


def _versions(tags: Iterable[str]) -> list[str]:
    """Return the final versions among tags, the newest first, and no more than are compared."""
    final = [tag for tag in tags if Version(tag).is_final]
    return sorted(final, key=lambda tag: Version(tag).numbers, reverse=True)[:_MOST_RELEASES]
