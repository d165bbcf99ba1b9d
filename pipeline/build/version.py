"""The version of a release."""

import re
from dataclasses import dataclass

_NUMBER = r"(?:0|[1-9][0-9]*)"
_SEMANTIC = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?")


@dataclass(frozen=True)
class Version:
    """What images are tagged with, or claims to be: https://semver.org, without build metadata, as tags have no `+`.

    Args:
        text: as in 1.2.3 or 1.2.3-rc.1.
    """

    text: str

    @property
    def is_semantic(self) -> bool:
        """Whether it is a semantic version."""
        return _SEMANTIC.fullmatch(self.text) is not None

    @property
    def numbers(self) -> tuple[int, ...]:
        """The three numbers of a semantic version, by which final ones are ordered."""
        return tuple(int(part) for part in self.text.partition("-")[0].split("."))

    @property
    def is_prerelease(self) -> bool:
        """Whether it is a semantic version that precedes a final one, as development versions do."""
        return self.is_semantic and "-" in self.text

    @property
    def is_final(self) -> bool:
        """Whether it is a semantic version and not a pre-release."""
        return self.is_semantic and "-" not in self.text
