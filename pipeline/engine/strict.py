"""Numbers and JSON that somebody else wrote: an image, an archive, a step or a client.

Source: RFC 8259 (JSON) and RFC 7493 (I-JSON), which leaves out what two readers understand differently.
"""

import json
from typing import Any, NoReturn

#: Levels of arrays and objects: documents of images have fewer than ten.
DEEPEST = 100
#: Digits of a whole number: sizes, times and ids have at most twenty.
_LONGEST_NUMBER = 20


class Malformed(ValueError):
    """A document is no JSON, or has what two readers would understand differently."""


def decode_json(data: bytes) -> Any:
    """Return the value of a JSON document.

    Args:
        data: the document in UTF-8.

    Raises:
        Malformed: it is no JSON, or has a name twice, NaN or an infinity, a very long number, half of a surrogate
            pair, or more than DEEPEST levels.
    """
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_object, parse_int=_integer, parse_constant=_refuse_constant
        )
    except RecursionError:
        raise _too_deep() from None
    except UnicodeDecodeError as error:
        raise Malformed(f"byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise Malformed(str(error)) from None
    _check(value)
    return value


def whole_number(text: str, below: int) -> int | None:
    """Return a number that is written in decimal digits; None for any other text, and from a limit on.

    Args:
        text: what is read; signs, blanks and digits of other scripts make it no number.
        below: the limit.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER):
        return None
    return number if (number := int(text)) < below else None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Malformed(f"it has the name {twice[:40]!r} twice in one object")
    return found


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise Malformed(f"it has a number of {len(text)} digits")
    return int(text)


def _refuse_constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is no number of JSON")


def _check(value: Any) -> None:
    """Look at every value, without a call for each level.

    Raises:
        Malformed: it lies too deep, or is text that no other program can be given.
    """
    level, depth = [value], 0
    while level:
        if depth > DEEPEST:
            raise _too_deep()
        below: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                below += each.keys()
                below += each.values()
            elif isinstance(each, list):
                below += each
            elif isinstance(each, str) and not each.isascii():
                _check_text(each)
        level, depth = below, depth + 1


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Malformed(f"it has half of a surrogate pair, {text[error.start]!a}") from None


def _too_deep() -> Malformed:
    return Malformed(f"it is nested more than {DEEPEST} levels deep")
