"""Text from outside, made safe to show: labels, statements, registries' answers, names of packages.

A terminal obeys control characters, and text that overrides its direction reads as what it is not. So each character
that is not printable is shown as an escape, as in `\\x1b` or `\\u202e`.
Source: https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing
"""

import json
import re
from typing import Any

#: What Markdown and GitLab's references give a meaning to, and the colon of a link that needs no brackets.
_MARKDOWN = re.compile(r"[\\`*_\[\]<>|~&@#!$]|:(?=//)")


def escaped(text: str) -> str:
    """Return a text on one line of printable characters; line breaks are escaped too."""
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def escaped_lines(text: str) -> str:
    """Return a text of several lines; all is escaped but line feeds and tabs."""
    return "".join(
        character if character.isprintable() or character in "\n\t" else _escape(character) for character in text
    )


def escaped_markdown(text: str) -> str:
    """Return a text on one line that Markdown shows as it is: no markup, link, mention or column of a table."""
    return _MARKDOWN.sub(r"\\\g<0>", escaped(text))


def json_text(document: Any) -> str:
    """Return a document as JSON for people and programs, with a line break at its end.

    What is not printable stands as `\\uXXXX`, which reads back as the same text.
    """
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return "".join(one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text) + "\n"


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()
