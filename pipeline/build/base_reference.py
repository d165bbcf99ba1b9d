"""The name of a base in settings and metadata."""

import re
from dataclasses import dataclass

#: The prefix of a stand-in, and the stand-in that the engine's machine can make for a line.
STAND_IN = "bootstrap:"
ANY_STAND_IN = f"{STAND_IN}auto"
#: https://github.com/distribution/reference/blob/v0.6.0/reference.go
_PINNED = re.compile(r"[a-z0-9][A-Za-z0-9._:/-]*@sha256:[0-9a-f]{64}")
_STAND_IN = re.compile(r"bootstrap:[a-z0-9][a-z0-9.-]*")
_ARCHIVE = "archive:"


@dataclass(frozen=True)
class BaseReference:
    """The name of a base.

    Args:
        text: as in ubuntu:22.04@sha256:…, bootstrap:debian-12 or archive:base.tar@sha256:….
    """

    text: str

    @property
    def is_pinned(self) -> bool:
        """Whether it names an image of a registry by its digest."""
        return not self.is_archive and _PINNED.fullmatch(self.text) is not None

    @property
    def is_stand_in(self) -> bool:
        """Whether it names a root file system made from one machine's own package sources."""
        return _STAND_IN.fullmatch(self.text) is not None

    @property
    def is_archive(self) -> bool:
        """Whether it names a file that was given as the base."""
        return self.text.startswith(_ARCHIVE)

    @property
    def digest(self) -> str:
        """The digest of its manifest, sha256:…; empty where it is not known."""
        return "" if self.is_archive else self.text.partition("@")[2]
