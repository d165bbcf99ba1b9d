"""Reads JSON documents from outside so that every reader sees the same values in the same bytes.

Programs in Go, such as docker, podman and containerd, use the last of two equal names, and read `Layers` as `layers`.
A document that exploits this is refused.
"""

import json
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

#: How deep a document may nest; documents of registries and cosign nest less than ten deep.
DEEPEST = 64


def parse_json(raw: bytes) -> Any:
    """Read a JSON document strictly: UTF-8, unique names in objects, and only numbers that JSON allows.

    Source: https://www.rfc-editor.org/rfc/rfc8259 and https://www.rfc-editor.org/rfc/rfc7493 (I-JSON)

    Raises:
        ValueError: the document is something else, or nests too deeply; the text is a clause of a sentence.
    """
    if _depth(raw) > DEEPEST:
        raise ValueError(f"it is nested more than {DEEPEST} deep")
    try:
        document = json.loads(raw.decode(), object_pairs_hook=_object, parse_constant=_refuse_constant)
        # A lone surrogate cannot be encoded.
        json.dumps(document, ensure_ascii=False).encode()
    except (json.JSONDecodeError, UnicodeError) as error:
        raise ValueError("it is not JSON in UTF-8") from error
    return document


def parse_object(raw: bytes, largest: int) -> dict[str, Any]:
    """Read one JSON object as `parse_json` does, and leave out members that are null, as Go's decoders do.

    Args:
        raw: the bytes from outside.
        largest: the greatest allowed number of bytes.

    Raises:
        ValueError: the document is larger, or is not a JSON object.
    """
    if len(raw) > largest:
        raise ValueError(f"it has more than {largest} bytes")
    document = _without_nulls(parse_json(raw))
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object")
    return document


def object_of(document: Any, *known: str) -> Mapping[str, Any]:
    """Return a document that is an object with known fields under exactly these names.

    Args:
        document: the result of `parse_json`.
        known: the fields that the caller reads; other fields are allowed.

    Raises:
        ValueError: the document is not an object, or a reader in Go would read another field as a known one.
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
    """Return a value that is a string.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(value, str):
        raise ValueError(f"a {type(value).__name__} where a text should be")
    return value


def texts_of(value: Any) -> tuple[str, ...]:
    """Return a value that is a list of strings.

    Raises:
        ValueError: it is not.
    """
    return tuple(text_of(item) for item in list_of(value))


def list_of(value: Any) -> list[Any]:
    """Return a value that is a list.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(value, list):
        raise ValueError(f"a {type(value).__name__} where a list should be")
    return value


def _depth(raw: bytes) -> int:
    """Return how deep a document nests, without recursion."""
    outside_strings = raw.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2]
    brackets = (byte for part in outside_strings for byte in part if byte in b"[]{}")
    return max(accumulate(1 if byte in b"[{" else -1 for byte in brackets), default=0)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it names the member {twice[:40]!r} twice")
    return members


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")
