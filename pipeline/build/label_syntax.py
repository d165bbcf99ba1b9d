"""The syntax of labels and of one-line texts in settings."""

import re

from pipeline.errors import MetadataError
from pipeline.metadata import PREFIX, refuse_control_characters

_LABEL_KEY = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?")


def split_label(label: str) -> tuple[str, str]:
    """Return the key and the value of `key=value`.

    Raises:
        ValueError: it is malformed, or the build writes it; the text is a sentence for the user.
    """
    key, equals, value = label.partition("=")
    if not (equals and _LABEL_KEY.fullmatch(key)):
        raise ValueError(f"The label {label!r} is malformed; write it as key=value.")
    if key.startswith(PREFIX):
        raise ValueError(f"The label {key!r} is written by the build itself; give its value with the setting.")
    return key, on_one_line(f"the label {key}", value)


def on_one_line(name: str, value: str) -> str:
    """Return a value unchanged if it has no control characters.

    Args:
        name: of the value, for the sentence.
        value: any text.

    Raises:
        ValueError: it has one.
    """
    try:
        refuse_control_characters(name, value)
    except MetadataError as error:
        raise ValueError(str(error)) from error
    return value
