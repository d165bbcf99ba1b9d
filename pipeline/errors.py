"""The errors of the pipeline, as a tree.

SkaError                    exit code 1: a defect of the pipeline
└── UserError               exit code 2: the user can correct it
    ├── AppError            an application cannot be built from its source as requested
    ├── SettingsError       a setting or an argument is malformed
    ├── UnknownImageError   no image of the catalogue has that name
    ├── UnknownLineError    no line of the catalogue has that name
    ├── CatalogueError      an entry of the catalogue has no parent, or is its own ancestor
    ├── MetadataError       a value is not valid in /etc/skao.metadata
    ├── BaseArchiveError    a base archive is damaged or of an unknown kind
    ├── GateError           an image did not pass a gate
    ├── HoldError           a gate cannot be held, because of its database, its rules or its exceptions
    ├── RegistryError       a registry refuses, or does not answer
    ├── ReleaseError        a release cannot be made as requested
    ├── SigningError        an image cannot be signed
    ├── ToolError           a tool is missing, or its digest is wrong
    └── VerificationError   a published image is not what it claims to be
"""

from typing import ClassVar


class SkaError(Exception):
    """An error whose text is one sentence for the user."""

    exit_code: ClassVar[int] = 1


class UserError(SkaError):
    """An error that the user can correct."""

    exit_code = 2


class AppError(UserError):
    """An application cannot be built from its source as requested."""


class SettingsError(UserError):
    """A setting or an argument is malformed."""


class UnknownImageError(UserError):
    """No image of the catalogue has that name."""


class UnknownLineError(UserError):
    """No line of the catalogue has that name."""


class CatalogueError(UserError):
    """An entry of the catalogue has no parent, or is its own ancestor."""


class MetadataError(UserError):
    """A value is not valid in /etc/skao.metadata, or the file cannot be read."""


class BaseArchiveError(UserError):
    """A base archive is damaged or of an unknown kind."""


class GateError(UserError):
    """An image did not pass a gate; the text holds every result."""


class HoldError(UserError):
    """A gate cannot be held, because of its database, baseline, rules or exceptions.

    If an image is the reason, its gate turns this into a problem of the image.
    """


class RegistryError(UserError):
    """A registry refuses, or does not answer.

    Args:
        sentence: the text for the user.
        passing: whether the same request may succeed later.
        retry_after: the wait in seconds that the registry asks for.
    """

    def __init__(self, sentence: str, *, passing: bool = False, retry_after: float = 0.0) -> None:
        super().__init__(sentence)
        self.passing, self.retry_after = passing, retry_after


class ReleaseError(UserError):
    """A release cannot be made as requested; nothing was tagged."""


class SigningError(UserError):
    """An image cannot be signed; nothing was tagged."""


class ToolError(UserError):
    """A program or a set of rules that a gate needs is missing, or its digest is wrong."""


class VerificationError(UserError):
    """A published image is not what it claims to be, or was not released by this pipeline."""
