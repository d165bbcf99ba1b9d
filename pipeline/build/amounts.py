"""Sizes, ages and other numbers as people write them; trailing text is refused.

Pydantic's ByteSize reads 20,5GB as 20 bytes, and Python's numbers take blanks, underscores and digits of any script.
"""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, ByteSize, TypeAdapter, ValidationInfo

_WHOLE = "[0-9]{1,18}"
_NUMBER = rf"{_WHOLE}(?:\.{_WHOLE})?"
_SIZE = re.compile(rf"{_NUMBER} ?[kmgtpe]i?b|{_WHOLE} ?b?", re.ASCII | re.IGNORECASE)
_AGE = re.compile(rf"({_WHOLE})([smhdw])")
#: Seconds of each unit of an age.
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def parse_size(text: str) -> int | None:
    """Return the bytes of a size such as 500MB, 20.5GB, 10GiB or 1000; None where it is not a size."""
    size = int(TypeAdapter(ByteSize).validate_python(text)) if _SIZE.fullmatch(text) else None
    # 0 means no limit, so no other size may be rounded to it.
    return None if size == 0 and re.search("[1-9]", text) else size


def parse_age(text: str) -> int | None:
    """Return the seconds of an age such as 90s, 12h, 7d or 2w; None where it is not an age."""
    found = _AGE.fullmatch(text)
    return int(found[1]) * _UNITS[found[2]] if found else None


def parse_number(text: str, kind: type) -> Any:
    """Return the number of a word; None where it is not one.

    Args:
        text: digits, with an optional sign and, for a float, a fraction.
        kind: int or float.
    """
    return kind(text) if re.fullmatch("-?" + (_NUMBER if kind is float else _WHOLE), text) else None


def _size_setting(value: object, info: ValidationInfo) -> int:
    size = value if isinstance(value, int) and not isinstance(value, bool) else parse_size(str(value))
    if size is None or size < 0:
        raise ValueError(f"The setting {info.field_name} takes a size such as 500MB or 20GB, not {value!r}.")
    return size


def _days_setting(value: object, info: ValidationInfo) -> float:
    number = parse_number(str(value), float)
    if number is None or not 0 < number < float("inf"):
        raise ValueError(f"The setting {info.field_name} takes a number of days such as 3 or 0.5, not {value!r}.")
    return float(number)


#: A setting in bytes, and one in days.
Size = Annotated[ByteSize, BeforeValidator(_size_setting)]
Days = Annotated[float, BeforeValidator(_days_setting)]
