"""The tags of a release: its version, which never moves, and others that move."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.build.settings import Settings
from pipeline.build.version import Version
from pipeline.errors import SettingsError
from pipeline.registry.address import TAG

_PART = re.compile(r"[0-9]+(\.[0-9]+)?")
_DATE = re.compile(r"[0-9]{8}")
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
#: Where registries without referrers keep signatures: https://github.com/opencontainers/distribution-spec
_FALLBACK = re.compile(r"sha256-[0-9a-f]+.*")


@dataclass(frozen=True)
class Tags:
    """The tags of a release.

    Args:
        version: semantic; the tag that is set once and never moves.
        extra: the tags that move, in the given order.
    """

    version: str
    extra: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """The version first."""
        return (self.version, *self.extra)

    @property
    def is_final(self) -> bool:
        """Whether the version is final."""
        return Version(self.version).is_final


def parse_version(tag: str) -> str:
    """Return the version of a release, without a leading v.

    Raises:
        SettingsError: it is not a semantic version.
    """
    version = tag.removeprefix("v")
    if not Version(version).is_semantic:
        raise SettingsError(
            f"The tag {tag!r} is not a version; give --tag as 1.2.3 or 1.2.3-rc.1, and names such as latest "
            "beside it with --extra-tags."
        )
    return version


def newest(tags: Iterable[str]) -> str:
    """Return the newest final version among tags; empty if there is none."""
    releases = [tag for tag in tags if Version(tag).is_final]
    return max(releases, key=lambda tag: Version(tag).numbers, default="")


def never_moves(tag: str) -> bool:
    """Return whether a tag must not be moved: a version, a signature's tag, or a malformed tag."""
    return not TAG.fullmatch(tag) or bool(_FALLBACK.fullmatch(tag) or Version(tag.removeprefix("v")).is_semantic)


def parse_extra_tags(given: Iterable[str], settings: Settings) -> tuple[str, ...]:
    """Return the tags besides the version: 1.2 and 1, a date, the commit, latest or another name.

    Args:
        given: the tags; duplicates are allowed.
        settings: the version, time of creation and commit that the tags must agree with.

    Raises:
        SettingsError: a tag is malformed, or states something untrue about the release.
    """
    extra = tuple(dict.fromkeys(tag for tag in given if tag != settings.version))
    for tag in extra:
        if wrong := _wrong(tag, settings):
            raise SettingsError(f"The extra tag {tag!r} {wrong}.")
    return extra


def _wrong(tag: str, settings: Settings) -> str:
    version, day = settings.version, settings.created[:10].replace("-", "")
    parts = version.partition("-")[0].split(".")
    if not TAG.fullmatch(tag) or _FALLBACK.fullmatch(tag):
        return "cannot be a tag; write it with letters, digits, dots, dashes and underscores, up to 128 of them"
    if Version(tag.removeprefix("v")).is_semantic:
        return "is a version, and versions never move; publish it with --tag"
    if _COMMIT.fullmatch(tag) and settings.revision.startswith(tag):
        return ""
    if _DATE.fullmatch(tag):
        return "" if tag == day else f"is not the day of the build; leave it out, or write {day}"
    if (tag == "latest" or _PART.fullmatch(tag)) and not Version(version).is_final:
        return f"is for final versions, and {version} is not one; leave it out"
    if _PART.fullmatch(tag) and tag not in (parts[0], ".".join(parts[:2])):
        return f"does not fit the version {version}; write {'.'.join(parts[:2])} or {parts[0]}"
    if _COMMIT.fullmatch(tag) and settings.revision:
        return f"is not the commit of the build; write {settings.revision[:8]}"
    return ""
