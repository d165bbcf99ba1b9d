"""The JSON documents that functions return, as text for people; unprintable characters are escaped."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from pipeline.escape import escaped


def published(document: Mapping[str, Any]) -> str:
    """Return the result of publish or promote: each image's pinned reference, and a sentence."""
    images, version = document["images"], document["version"]
    new = [image for image in images if image["new"]]
    lines = [image["reference"] for image in images]
    also = f" (also {', '.join(images[0]['tags'][1:])})" if images[0]["tags"][1:] else ""
    if document["dry_run"]:
        done = f"{len(new)} of {len(images)} images would be published as {version}{also}; nothing was pushed."
    elif new:
        done = f"{len(new)} of {len(images)} images published as {version}{also}."
    else:
        done = f"Nothing to publish: {version} exists with the same content{also}."
    return "\n".join([*lines, "", done])


def verified(document: Mapping[str, Any]) -> str:
    """Return the result of verify: a line for each fact."""
    facts = document["facts"]
    width = max(len(fact["name"]) for fact in facts)
    lines = [
        f"  {'verified' if fact['verified'] else 'not verified':12}  {fact['name']:{width}}  {fact['message']}"
        for fact in facts
    ]
    return "\n".join([document["reference"], *lines, *_warnings(document)])


def outdated(document: Mapping[str, Any]) -> str:
    """Return the result of outdated: each image with its reasons and unknowns."""
    lines = []
    for image in document["images"]:
        state = "OUTDATED" if image["reasons"] else "up to date"
        lines.append(f"{state:10}  {image['reference'] or image['name']}")
        lines += [f"{'':12}{reason}" for reason in image["reasons"]]
        lines += [f"{'':14}{one['package']} {one['installed']} → {one['newer']}" for one in image["packages"]]
        lines += [f"{'':12}not known: {sentence}" for sentence in image["unknown"]]
    count = sum(bool(image["reasons"]) for image in document["images"])
    verb = "is" if count == 1 else "are"
    return "\n".join(
        [
            *lines,
            *_warnings(document),
            "",
            f"{count} of {len(document['images'])} images of {document['version']} {verb} outdated.",
        ]
    )


def stale(document: Mapping[str, Any]) -> str:
    """Return the result of stale: each image with the release that it stands on, and what it lacks."""
    lines = []
    for image in document["images"]:
        state = "STALE" if image["state"] == "stale" else image["state"]
        lines.append(f"{state:8}  {image['reference']}")
        if image["stands_on"]:
            age = "" if image["age"] is None else f", {image['age']} days old"
            lines.append(f"{'':10}stands on {image['stands_on'].partition('@')[0]}{age}")
        lines += [f"{'':10}{sentence}" for sentence in image["reasons"]]
        lines += [
            f"{'':12}{one['package']} {one['before'] or 'none'} → {one['after'] or 'none'}" for one in image["packages"]
        ]
        lines += [f"{'':12}would go: {one}" for one in image["vulnerabilities"] or ()]
        lines += [f"{'':10}not known: {sentence}" for sentence in image["unknown"]]
        lines += _warnings(image)
    count = sum(image["state"] == "stale" for image in document["images"])
    foreign = sum(image["state"] == "foreign" for image in document["images"])
    others = f", and {foreign} {'does' if foreign == 1 else 'do'} not stand on these images" if foreign else ""
    verb = "is" if count == 1 else "are"
    return "\n".join([*lines, "", f"{count} of {len(document['images'])} images {verb} stale{others}."])


def _warnings(document: Mapping[str, Any]) -> list[str]:
    return [f"WARNING: {sentence}" for sentence in document["warnings"]]


def _shown(write: Callable[[Mapping[str, Any]], str]) -> Callable[[Any], str]:
    """Return a table in which no text can break its line."""
    return lambda document: write(_printable(document))


def _printable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _printable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_printable(one) for one in value]
    return escaped(value) if isinstance(value, str) else value


#: By the functions' names.
TABLES: Mapping[str, Callable[[Any], str]] = MappingProxyType(
    {
        name: _shown(write)
        for name, write in (
            ("publish", published),
            ("promote", published),
            ("verify", verified),
            ("outdated", outdated),
            ("stale", stale),
        )
    }
)
