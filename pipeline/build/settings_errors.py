"""The libraries' errors about malformed settings, as sentences for the user."""

import re

from pydantic import ValidationError
from pydantic_settings import SettingsError as SourceError

#: The exceptions that they raise.
MALFORMED = (ValidationError, SourceError, UnicodeDecodeError)


def sentence(error: Exception) -> str:
    """Return what is wrong, with which value, and what to do.

    Args:
        error: one of MALFORMED.
    """
    if isinstance(error, ValidationError):
        return _first_of(error)
    if isinstance(error, UnicodeDecodeError):
        return f"The file .env is not UTF-8 ({error.reason}); write it in UTF-8."
    return _not_json(error)


def _not_json(error: Exception) -> str:
    found = re.search(r'field "(\w+)" from source "(\w+?)(?:Settings)?(?:Source)?"', str(error))
    name = found[1] if found else "?"
    example = f"""SKA_{name.upper()}='["key=value"]'"""
    return f"The setting {name!r} is a list, and its value is not JSON; write it as in {example}."


def _first_of(error: ValidationError) -> str:
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, ValueError):
        return str(cause)
    name = ".".join(map(str, first["loc"])) or "?"
    if first["type"] == "missing":
        return f"The setting {name!r} is missing; give it in [tool.ska-images] of pyproject.toml."
    return f"The setting {name!r} is malformed ({first['input']!r}: {first['msg']}); correct or remove it."
