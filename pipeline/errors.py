"""What can go wrong in the pipeline, as one tree.

SkaError                    exit code 1: a defect of the pipeline
└── UserError               exit code 2: what the user can mend
    ├── SettingsError       a setting or an argument is malformed
    ├── UnknownImageError   no image of the catalogue has that name
    ├── CatalogueError      an entry of the catalogue has no parent, or is its own ancestor
    ├── MetadataError       a value cannot stand in /etc/skao.metadata
    ├── BaseArchiveError    a base archive is damaged or of an unknown kind
    ├── GateError           an image did not pass a gate
    ├── HoldError           a gate cannot be held: its database, its rules or its exceptions are not as they should be
    ├── RegistryError       a registry refuses, or does not answer
    ├── ReleaseError        a release cannot be made as it was asked for
    ├── SigningError        an image cannot be signed
    ├── ToolError           a tool cannot be had, or is not what it should be
    └── VerificationError   a published image is not what it says of itself
"""

from typing import ClassVar


class SkaError(Exception):
    """An error whose text is one sentence for the user."""

    exit_code: ClassVar[int] = 1


class UserError(SkaError):
    """What the user can mend."""

    exit_code = 2


class SettingsError(UserError):
    """A setting or an argument is malformed."""


class UnknownImageError(UserError):
    """No image of the catalogue has that name."""


class CatalogueError(UserError):
    """An entry of the catalogue has no parent, or is its own ancestor."""


class MetadataError(UserError):
    """A value cannot stand in /etc/skao.metadata, or the file cannot be read."""


class BaseArchiveError(UserError):
    """A base archive is damaged or of an unknown kind."""


class GateError(UserError):
    """An image did not pass a gate; the text holds every result."""


class HoldError(UserError):
    """A gate cannot be held: a database, a baseline, rules or exceptions are not as they should be.

    Where an image is the reason, its gate turns this into a problem of the image.
    """


class RegistryError(UserError):
    """A registry refuses, or does not answer.

    Args:
        sentence: for the user.
        passing: whether the same request may succeed later.
        retry_after: seconds that the registry asks to wait.
    """

    def __init__(self, sentence: str, *, passing: bool = False, retry_after: float = 0.0) -> None:
        super().__init__(sentence)
        self.passing, self.retry_after = passing, retry_after


class ReleaseError(UserError):
    """A release cannot be made as it was asked for; nothing was tagged."""


class SigningError(UserError):
    """An image cannot be signed; nothing was tagged."""


class ToolError(UserError):
    """A program that a gate runs cannot be had, or its bytes are not those that are known."""


class VerificationError(UserError):
    """A published image is not what it says of itself, or not of a release of this pipeline."""
