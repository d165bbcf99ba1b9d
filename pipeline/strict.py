"""JSON documents from outside, read so that no other reader can see something else in the same bytes.

Programs in Go, as docker, podman and containerd are, take the last of two equal names, and take `Layers` for `layers`.
A document that plays on this is refused instead of read.
"""

import json
from collections.abc import Mapping
from typing import Any


def parse_json(raw: bytes) -> Any:
    """Read a JSON document strictly: UTF-8, no name twice in an object, and no number that JSON does not have.

    Source: https://www.rfc-editor.org/rfc/rfc8259 and https://www.rfc-editor.org/rfc/rfc7493 (I-JSON)

    Raises:
        ValueError: it is none, or is nested too deeply.
    """
    try:
        return json.loads(raw.decode(), object_pairs_hook=_object, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("the document is nested too deeply") from None


def object_of(document: Any, *known: str) -> Mapping[str, Any]:
    """Return a document that is an object, whose known fields stand under exactly these names.

    Args:
        document: from `parse_json`.
        known: the fields that are read; others may be there.

    Raises:
        ValueError: it is no object, or a reader in Go would take another field for a known one.
    """
    if not isinstance(document, dict):
        raise ValueError(f"a {type(document).__name__} where an object should be")
    exact = set(known)
    folded = {name.casefold() for name in known}
    for name in document:
        if name not in exact and name.casefold() in folded:
            raise ValueError(f"the field {name!r} has another spelling than its specification")
    return document


def text_of(value: Any) -> str:
    """Return a value that is a text.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, str):
        raise ValueError(f"a {type(value).__name__} where a text should be")
    return value


def texts_of(value: Any) -> tuple[str, ...]:
    """Return a value that is a list of texts.

    Raises:
        ValueError: it is none.
    """
    return tuple(text_of(one) for one in list_of(value))


def list_of(value: Any) -> list[Any]:
    """Return a value that is a list.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, list):
        raise ValueError(f"a {type(value).__name__} where a list should be")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r} stands twice in one object")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
