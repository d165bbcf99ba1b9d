"""What can go wrong in the pipeline, as one tree.

SkaError                    exit code 1: a defect of the pipeline
└── UserError               exit code 2: what the user can mend
    ├── SettingsError       a setting or an argument is malformed
    ├── UnknownImageError   no image of the catalogue has that name
    ├── CatalogueError      an entry of the catalogue has no parent, or is its own ancestor
    ├── MetadataError       a value cannot stand in /etc/skao.metadata
    ├── BaseArchiveError    a base archive is damaged or of an unknown kind
    └── ChecksFailedError   an image was built and is not what it should be
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


class ChecksFailedError(UserError):
    """An image was built and is not what it should be; the text holds every result."""
