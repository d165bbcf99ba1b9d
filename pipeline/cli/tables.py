"""The JSON documents that functions return, as a person reads them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any


def published(document: Mapping[str, Any]) -> str:
    """Write what publish or promote did: a line to pin each image by, and a sentence."""
    images, version = document["images"], document["version"]
    new = [image for image in images if image["new"]]
    lines = [image["reference"] for image in images]
    also = f" (also {', '.join(images[0]['tags'][1:])})" if images[0]["tags"][1:] else ""
    if document["dry_run"]:
        done = f"{len(new)} of {len(images)} images would be published as {version}{also}; nothing was pushed."
    elif new:
        done = f"{len(new)} of {len(images)} images published as {version}{also}."
    else:
        done = f"Nothing to publish: {version} is there already, with the same content{also}."
    return "\n".join([*lines, "", done])


#: By the functions' names.
TABLES: Mapping[str, Callable[[Any], str]] = MappingProxyType({"publish": published})
