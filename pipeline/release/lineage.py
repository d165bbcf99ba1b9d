"""Compares parents and children: a child begins with its parent's layers.

Tools find a base image that way, too: https://github.com/opencontainers/image-spec/blob/v1.1.0/annotations.md
"""

from collections.abc import Iterable

from pipeline.catalogue.lookup import by_name
from pipeline.errors import VerificationError
from pipeline.registry.manifest import Manifest
from pipeline.release.published import Published


def is_built_on(child: Manifest, parent: Manifest) -> bool:
    """Return whether an image begins with the layers of another, which has at least one."""
    return bool(parent.layers) and child.layers[: len(parent.layers)] == parent.layers


def refuse_strangers(images: Iterable[Published]) -> None:
    """Refuse a release in which an image is not built on its parent.

    Raises:
        VerificationError: an image is not built on its parent.
    """
    by_image = {image.repository.name: image for image in images}
    for name, image in by_image.items():
        parent = by_name()[name].parent
        if parent and not is_built_on(image.manifest, by_image[parent].manifest):
            raise VerificationError(
                f"{name}@{image.manifest.digest} is not built on {parent}@{by_image[parent].manifest.digest}, "
                "its parent of the same release; publish the release again."
            )
