"""JSON from outside, decoded strictly: bounded in size and depth, each member once, and nothing that is not JSON."""

import json
from itertools import accumulate
from typing import Any

#: Documents of registries nest less than ten deep.
DEEPEST = 64


def decode_object(data: bytes, largest: int) -> dict[str, Any]:
    """Decode one JSON object; members that are null are left out, as Go's decoders treat them.

    Args:
        data: UTF-8.
        largest: bytes that it may have.

    Raises:
        ValueError: it is larger or deeper than allowed, names a member twice, or is not an object in JSON. The text is
            a clause for an error's sentence.

    Source: https://www.rfc-editor.org/rfc/rfc8259
    """
    if len(data) > largest:
        raise ValueError(f"it has more than {largest} bytes")
    if _depth(data) > DEEPEST:
        raise ValueError(f"it is nested more than {DEEPEST} deep")
    try:
        document = json.loads(data.decode(), object_pairs_hook=_members, parse_constant=_refuse_constant)
        # A lone half of a surrogate pair cannot be written anywhere.
        json.dumps(document, ensure_ascii=False).encode()
    except (json.JSONDecodeError, UnicodeError) as error:
        raise ValueError("it is not JSON in UTF-8") from error
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object")
    return document


def _depth(data: bytes) -> int:
    """Return how deep a document nests, without recursion."""
    outside_strings = data.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2]
    brackets = (byte for part in outside_strings for byte in part if byte in b"[]{}")
    return max(accumulate(1 if byte in b"[{" else -1 for byte in brackets), default=0)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it names the member {twice[:40]!r} twice")
    return {name: value for name, value in pairs if value is not None}


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")
