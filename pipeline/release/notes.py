"""Compares two releases: packages, contracts, and the vulnerabilities that their signed scans state."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pipeline.build.inputs import Build
from pipeline.build.settings import Settings
from pipeline.catalogue.lookup import of_lines
from pipeline.checks.contract import differences
from pipeline.concurrency import concurrently
from pipeline.errors import ReleaseError, SettingsError
from pipeline.registry.address import Address, parse_address
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.continuity import IN_LAYERS, contract_in
from pipeline.release.files import FileReader
from pipeline.release.login import Login
from pipeline.release.notes_page import Change, ImageNotes, Notes, render_json, render_markdown
from pipeline.release.published import Published, find_images, newest_version
from pipeline.release.scan_changes import ScanChanges, scan_changes
from pipeline.release.tags import parse_version
from pipeline.signing.signature import Trusted, Witness, open_witness, parse_trusted

_STATUS = "var/lib/dpkg/status"
#: The metadata of what pip installs; Debian's own Python packages are already in dpkg's list.
_DISTRIBUTION = re.compile(r"(?!usr/lib/python3/).*(?:site|dist)-packages/([^/]+)-([^/-]+)\.dist-info/METADATA")
_FORMATS = {"markdown": render_markdown, "json": render_json}


@dataclass(frozen=True)
class Comparison:
    """Which releases to compare, and where.

    Args:
        before: the version of the first release; empty for the newest final version before the second one.
        after: the version of the second release.
        layout: markdown or json.
        holds: the registry that holds them; empty for that of the settings, which the notes name either way.
    """

    before: str
    after: str
    layout: str = "markdown"
    holds: str = ""


async def release_notes(
    asked: Comparison,
    given: Mapping[str, Any],
    login: Login,
    trusted: Trusted,
    build: Callable[[], Awaitable[Build]],
) -> str:
    """Compare two releases of all lines of the settings.

    Args:
        asked: which releases.
        given: the settings given as arguments; `registry` and `lines` are read.
        login: the login to the registry.
        trusted: the key or identity whose signatures count; without one, vulnerabilities are not compared.
        build: provides the base and the tools that verify signatures; not called without a trusted key or identity.

    Raises:
        ReleaseError: one of the releases is not published.
        SettingsError: the format is unknown, a version is malformed, or the identity is incomplete.
        RegistryError: the registry refuses, or does not answer.
        ToolError: cosign is missing, or its digest is wrong.
    """
    if asked.layout not in _FORMATS:
        raise SettingsError(f"The format {asked.layout!r} is not known; give {' or '.join(_FORMATS)}.")
    before, after = parse_version(asked.before) if asked.before else "", parse_version(asked.after)
    settings, whose = Settings(**given), parse_trusted(trusted)
    named, names = parse_address(settings.registry), of_lines(settings.lines)
    address = parse_address(asked.holds) if asked.holds else named
    async with login.access() as access, open_registry(address, access) as registry:
        before = before or await newest_version(registry, names, after)
        old = await _published(registry, before, names) if before else {}
        new = await _published(registry, after, names)
        witness = await open_witness(await build(), registry, whose) if whose else None
        comparer = _Comparer(named, (before, after), package_reader(), witness)
        pairs = {name: (old.get(name), new.get(name)) for name in names if name in old or name in new}
        notes = await concurrently([partial(comparer.compare, name, pair) for name, pair in pairs.items()])
    return _FORMATS[asked.layout](Notes(before, after, tuple(notes)))


async def _published(registry: Registry, version: str, names: Iterable[str]) -> dict[str, Published]:
    images = await find_images(registry, version, names)
    if not images:
        raise ReleaseError(f"{registry.address} has no image of {version}; check --registry, --line and the version.")
    return images


@dataclass(frozen=True)
class _Comparer:
    """Compares images of two releases.

    Args:
        named: the registry that references name.
        versions: those under which the images were found, whatever their labels say.
        reader: reads the packages and the contract.
        witness: verifies signatures; None if no trusted key or identity was given.
    """

    named: Address
    versions: tuple[str, str]
    reader: FileReader
    witness: Witness | None

    async def compare(self, name: str, pair: tuple[Published | None, Published | None]) -> ImageNotes:
        """Compare an image of the first release with that of the second one; None where a release lacks it."""
        old, new = pair
        first, second = self.versions
        notes = ImageNotes(name, self._reference(old, first), self._reference(new, second))
        if old is None or new is None:
            return notes
        files = before, after = [await self.reader.read(image) for image in (old, new)]
        promised, kept = [contract_in(one, image) for one, image in zip(files, (old, new), strict=True)]
        is_same = old.manifest.digest == new.manifest.digest
        return replace(
            notes,
            packages=_changes(_packages(before), _packages(after)),
            python=_changes(_distributions(before), _distributions(after)),
            contract=tuple(differences(promised, kept)) if promised and kept else (),
            scans=ScanChanges() if is_same else await scan_changes(old, new, self.versions, self.witness),
        )

    def _reference(self, image: Published | None, version: str) -> str:
        return str(replace(image.reference(version), address=self.named)) if image else ""


async def changed_packages(old: Published, new: Published, reader: FileReader) -> tuple[Change, ...]:
    """Return the packages of the distribution and of Python that differ between two images, each kind by name.

    Args:
        old: the earlier image.
        new: the later image.
        reader: that of `package_reader`.

    Raises:
        RegistryError: the registry refuses, or a layer cannot be read.
    """
    before, after = [await reader.read(image) for image in (old, new)]
    return (*_changes(_packages(before), _packages(after)), *_changes(_distributions(before), _distributions(after)))


def package_reader() -> FileReader:
    """Return what reads the packages and the contract of images, each layer once."""
    return FileReader(_is_read)


def _is_read(path: str) -> bool:
    return path in (_STATUS, IN_LAYERS) or _DISTRIBUTION.fullmatch(path) is not None


def _packages(files: Mapping[str, bytes]) -> dict[str, str]:
    """Read dpkg's list: https://www.debian.org/doc/debian-policy/ch-controlfields.html."""
    stanzas = files.get(_STATUS, b"").decode(errors="replace").split("\n\n")
    fields = [dict(re.findall(r"^(Package|Status|Version): (.*)$", stanza, re.MULTILINE)) for stanza in stanzas]
    installed = (one for one in fields if one.get("Status", "").endswith(" installed"))
    return {one["Package"]: one.get("Version", "") for one in installed if "Package" in one}


def _distributions(files: Mapping[str, bytes]) -> dict[str, str]:
    """Read the names of pip's directories: https://packaging.python.org/specifications/recording-installed-packages."""
    found: dict[str, set[str]] = {}
    for path in files:
        if match := _DISTRIBUTION.fullmatch(path):
            found.setdefault(re.sub(r"[-_.]+", "-", match[1]).lower(), set()).add(match[2])
    return {name: ", ".join(sorted(versions)) for name, versions in found.items()}


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    pairs = ((name, before.get(name, ""), after.get(name, "")) for name in sorted({*before, *after}))
    return tuple(Change(*pair) for pair in pairs if pair[1] != pair[2])
