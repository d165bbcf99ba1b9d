"""A release as a JSON document, for programs."""

import json
from collections.abc import Collection, Sequence

from pipeline.registry.address import Address, Reference
from pipeline.release.push import Candidate
from pipeline.release.tags import Tags


def release_document(
    address: Address, tags: Tags, images: Sequence[Candidate], new: Collection[str], *, dry_run: bool
) -> str:
    """Return the document of a release.

    Args:
        address: the registry of the release.
        tags: the tags of each image.
        images: the images in the catalogue's order.
        new: the names of the images that were not published under this version before.
        dry_run: whether nothing was pushed.
    """
    document = {
        "version": tags.version,
        "registry": str(address),
        "dry_run": dry_run,
        "images": [
            {
                "name": image.name,
                "parent": image.parent,
                "reference": str(Reference(address, image.name, tags.version, image.digest)),
                "digest": image.digest,
                "tags": list(tags.all),
                "new": image.name in new,
            }
            for image in images
        ],
    }
    return json.dumps(document, indent=2) + "\n"
