"""Which lines are built, and on which bases, as settings: a tuple, or a text with commas between its parts."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

from pipeline.build.base_reference import ANY_STAND_IN, BaseReference
from pipeline.catalogue.lines import find_line
from pipeline.errors import UnknownLineError


def require_digest(name: str, value: str) -> None:
    """Refuse the reference of an image without a digest, unless it is a stand-in.

    Args:
        name: of the setting, for the sentence.
        value: its value.

    Raises:
        ValueError: it has none; the text is a sentence for the user.
    """
    reference = BaseReference(value)
    if not (reference.is_pinned or reference.is_stand_in):
        raise ValueError(
            f"The {name} {value!r} has no digest; write it with one, "
            "as in ubuntu:22.04@sha256:… (skopeo inspect docker://IMAGE shows the digest)."
        )


def given_base(given: Sequence[str], line: str) -> str:
    """Return the base that was given for a line; empty if there is none.

    Args:
        given: the setting.
        line: the name of the line.
    """
    by_line = dict(base.rpartition("=")[::2] for base in given)
    return by_line.get(line) or by_line.get("", "")


def require_lines_of_bases(given: Sequence[str], lines: Sequence[str]) -> None:
    """Refuse one base for several lines, except the stand-in that suits each.

    Raises:
        ValueError: it does not say which line it is for; the text is a sentence for the user.
    """
    alone = [base for base in given if "=" not in base]
    if len(alone) > 1 or (alone and len(lines) > 1 and alone != [ANY_STAND_IN]):
        raise ValueError(
            f"The base {alone[0]} is given for {', '.join(lines)} without saying for which; write LINE=REFERENCE, once "
            "for each line."
        )


def parts_of(value: object) -> object:
    """Return the parts of a text with commas between them; anything else as it is."""
    return tuple(filter(None, re.split(r"[,\s]+", value))) if isinstance(value, str) else value


def _lines(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise ValueError("The setting lines names no line; give at least one, or leave it out.")
    return tuple(dict.fromkeys(_line(name) for name in value))


def _bases(value: tuple[str, ...]) -> tuple[str, ...]:
    for base in value:
        line, equals, reference = base.rpartition("=")
        require_digest("base", reference)
        if equals:
            _line(line)
    return value


def _dates(value: tuple[str, ...]) -> tuple[str, ...]:
    for entry in value:
        line, _, day = entry.partition("=")
        _line(line)
        try:
            date.fromisoformat(day)
        except ValueError as error:
            raise ValueError(f"The day in {entry!r} is not a date; write it as {line}=2026-12-31.") from error
    return value


def _line(name: str) -> str:
    try:
        return find_line(name).name
    except UnknownLineError as error:
        raise ValueError(str(error)) from error


#: The names of lines; bases, each LINE=REFERENCE, or REFERENCE alone; and days, each LINE=DATE.
Lines = Annotated[tuple[str, ...], NoDecode, BeforeValidator(parts_of), AfterValidator(_lines)]
Bases = Annotated[tuple[str, ...], NoDecode, BeforeValidator(parts_of), AfterValidator(_bases)]
Dates = Annotated[tuple[str, ...], NoDecode, BeforeValidator(parts_of), AfterValidator(_dates)]
