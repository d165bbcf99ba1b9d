"""JSON documents from outside, read so that no other reader can see something else in the same bytes.

Programs in Go, as docker, podman and containerd are, take the last of two equal names, and take `Layers` for `layers`.
A document that plays on this is refused instead of read.
"""

import json
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

#: How deep a document may nest; those of registries and of cosign nest less than ten deep.
DEEPEST = 64


def parse_json(raw: bytes) -> Any:
    """Read a JSON document strictly: UTF-8, no name twice in an object, and no number that JSON does not have.

    Source: https://www.rfc-editor.org/rfc/rfc8259 and https://www.rfc-editor.org/rfc/rfc7493 (I-JSON)

    Raises:
        ValueError: it is something else, or is nested too deeply; the text is a clause for an error's sentence.
    """
    if _depth(raw) > DEEPEST:
        raise ValueError(f"it is nested more than {DEEPEST} deep")
    try:
        document = json.loads(raw.decode(), object_pairs_hook=_object, parse_constant=_refuse_constant)
        # A lone half of a surrogate pair cannot be written anywhere.
        json.dumps(document, ensure_ascii=False).encode()
    except (json.JSONDecodeError, UnicodeError) as error:
        raise ValueError("it is not JSON in UTF-8") from error
    return document


def parse_object(raw: bytes, largest: int) -> dict[str, Any]:
    """Read one JSON object as `parse_json` does, without the members that are null, as Go's decoders treat them.

    Args:
        raw: from outside.
        largest: bytes that it may have.

    Raises:
        ValueError: it is larger, or is not an object in JSON.
    """
    if len(raw) > largest:
        raise ValueError(f"it has more than {largest} bytes")
    document = _without_nulls(parse_json(raw))
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object")
    return document


def object_of(document: Any, *known: str) -> Mapping[str, Any]:
    """Return a document that is an object, whose known fields stand under exactly these names.

    Args:
        document: from `parse_json`.
        known: the fields that are read; others may be there.

    Raises:
        ValueError: it is not an object, or a reader in Go would take another field for a known one.
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
