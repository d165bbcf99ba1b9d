"""An image's labels and its /etc/skao.metadata, from one value, so that they cannot differ."""

import re
import unicodedata
from dataclasses import dataclass, fields

from pipeline.errors import MetadataError

#: Where the file stands in every image.
PATH = "/etc/skao.metadata"
PREFIX = "int.skao.image."
#: The label with the last day of the distribution's standard support, ISO 8601.
END_OF_LIFE = f"{PREFIX}endOfLife"
#: Names the minor version of an image's Python, which a virtual environment needs where it runs.
PYTHON_LABEL = PREFIX + "python"

_LINE = re.compile(r'(?P<key>[^="]+)="(?P<value>(?:[^"\\]|\\["\\])*)"')
_ESCAPED = re.compile(r'\\(["\\])')
#: Control characters, lone surrogates, and the two line separators that are no control characters.
_REFUSED = {"Cc", "Cs", "Zl", "Zp"}


@dataclass(frozen=True)
class Metadata:
    """The seven values that SKAO's images carry, in the order of its documentation.

    Args:
        created: when the image was built, ISO 8601, UTC.
        version: the image's version.
        tags: the tags it is published under, separated by commas.
        team: who answers for it.
        url: where it is documented.
        source: where its source code is.
        baseImage: the reference of the image that it is built from.

    Raises:
        MetadataError: a value holds a line break or another control character.
    """

    created: str
    version: str
    tags: str
    team: str
    url: str
    source: str
    baseImage: str  # noqa: N815  the documented key

    def __post_init__(self) -> None:
        for key, value in self.labels().items():
            refuse_control_characters(key, value)

    def labels(self) -> dict[str, str]:
        """Return the labels, in the documented order."""
        return {key: getattr(self, key.removeprefix(PREFIX)) for key in KEYS}

    def render(self) -> str:
        r"""Return the file: one `key="value"` a line, `"` and `\` escaped with `\`."""
        return "".join(f'{key}="{_escape(value)}"\n' for key, value in self.labels().items())


#: The documented keys, in the documented order.
KEYS = tuple(PREFIX + field.name for field in fields(Metadata))


def parse(text: str) -> dict[str, str]:
    """Return the keys and values of a metadata file, the inverse of `Metadata.render`.

    Raises:
        MetadataError: a line is no `key="value"`.
    """
    found = {}
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise MetadataError(f'Line {number} of {PATH} is {line!r}; write it as key="value".')
        found[match["key"]] = _ESCAPED.sub(r"\1", match["value"])
    return found


def refuse_control_characters(name: str, value: str) -> None:
    """Refuse a value that would break the file's or a label's single line.

    Raises:
        MetadataError: the value holds a line break or another control character.
    """
    if any(unicodedata.category(character) in _REFUSED for character in value):
        raise MetadataError(
            f"The value {value!r} of {name} holds a line break or another control character; "
            "write it on one line of printable text."
        )


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
