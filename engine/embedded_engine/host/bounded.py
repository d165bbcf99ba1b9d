"""Numbers and JSON from outside: from an image, an archive, a step or a client.

Source: RFC 8259 (JSON) and RFC 7493 (I-JSON), which excludes everything that readers interpret differently.
"""

import json
import math
from typing import Any, NoReturn

#: The greatest depth of arrays and objects; documents of images have fewer than ten levels.
DEEPEST = 100
#: The most digits of a whole number; sizes, times and ids have at most twenty.
_LONGEST_NUMBER = 20


class Malformed(ValueError):
    """A document is not JSON, or readers could interpret it differently."""


def decode_json(data: bytes) -> Any:
    """Return the value of a JSON document.

    Args:
        data: the document in UTF-8.

    Raises:
        Malformed: the document is not JSON, or has a duplicate name, NaN, an infinity, a very long number, a lone
            surrogate, or more than DEEPEST levels.
    """
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_refuse_constant,
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
    """Return a number in decimal digits; None for any other text, and for numbers from a limit on.

    Args:
        text: the text; signs, blanks and digits of other scripts are not allowed.
        below: the limit.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER):
        return None
    return number if (number := int(text)) < below else None


class Fields:
    """A JSON object whose fields must have the types that its reader expects; null counts as missing.

    Args:
        value: the result of `decode_json`.
        name: the object's name in errors.

    Raises:
        Malformed: the value is not an object.
    """

    def __init__(self, value: Any, name: str) -> None:
        if not isinstance(value, dict):
            raise Malformed(f"{name} is not an object")
        self._fields: dict[str, Any] = value
        self._name = name

    def __contains__(self, name: str) -> bool:
        return self._fields.get(name) is not None

    def text(self, name: str) -> str:
        """Return a text, empty if it is missing; NUL is refused, since no program can get it as an argument."""
        found = self._found(name, "")
        if not isinstance(found, str) or "\0" in found:
            raise self._wrong(name, "a text")
        return found

    def number(self, name: str) -> int:
        """Return a whole number from 0 to 2^63 - 1, 0 if it is missing."""
        found = self._found(name, 0)
        if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < 1 << 63:
            raise self._wrong(name, "a whole number from 0 on")
        return found

    def flag(self, name: str) -> bool:
        """Return a boolean, false if it is missing."""
        found = self._found(name, False)
        if not isinstance(found, bool):
            raise self._wrong(name, "true or false")
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, empty if it is missing."""
        found = self._found(name, [])
        if not isinstance(found, list) or not all(isinstance(one, str) and "\0" not in one for one in found):
            raise self._wrong(name, "a list of texts")
        return tuple(found)

    def object(self, name: str) -> "Fields":
        """Return an object, without fields if it is missing."""
        return Fields(self._found(name, {}), f"'{name}'")

    def objects(self, name: str) -> "list[Fields]":
        """Return a list of objects, empty if it is missing."""
        found = self._found(name, [])
        if not isinstance(found, list):
            raise self._wrong(name, "a list of objects")
        return [Fields(one, f"an entry of '{name}'") for one in found]

    def names(self) -> tuple[str, ...]:
        """Return the names of its fields, sorted."""
        return tuple(sorted(self._fields))

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Return the fields, all of them texts, sorted by name."""
        return tuple((name, self.text(name)) for name in self.names())

    def _found(self, name: str, otherwise: Any) -> Any:
        found = self._fields.get(name)
        return otherwise if found is None else found

    def _wrong(self, name: str, kind: str) -> Malformed:
        return Malformed(f"'{name}' of {self._name} is not {kind}")


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


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse_constant(text[:_LONGEST_NUMBER])


def _refuse_constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is not a JSON number")


def _check(value: Any) -> None:
    """Examine every value without recursion.

    Raises:
        Malformed: a value is nested too deeply, or is a text that cannot be encoded.
    """
    level, depth = [value], 0
    while level:
        if depth >= DEEPEST and any(isinstance(each, dict | list) for each in level):
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
