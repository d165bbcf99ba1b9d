"""Compares two releases: which distribution and Python packages were added, removed or changed."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.build.settings import Settings
from pipeline.catalogue.lookup import by_name, of_lines
from pipeline.checks.contract import Difference, differences
from pipeline.errors import ReleaseError, SettingsError
from pipeline.escape import escaped, escaped_markdown, json_text
from pipeline.registry.address import parse_address
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.continuity import IN_LAYERS, contract_in
from pipeline.release.files import FileReader
from pipeline.release.login import Login
from pipeline.release.published import Published, find_images
from pipeline.release.tags import parse_version

_STATUS = "var/lib/dpkg/status"
#: The metadata of what pip installs; Debian's own Python packages are already in dpkg's list.
_DISTRIBUTION = re.compile(r"(?!usr/lib/python3/).*(?:site|dist)-packages/([^/]+)-([^/-]+)\.dist-info/METADATA")
_FORMATS = ("markdown", "json")
NONE = "–"  # noqa: RUF001  in a table, for a missing version


@dataclass(frozen=True)
class Change:
    """A package that differs between two releases.

    Args:
        package: the package's name.
        before: its version in the first release; empty if it was added.
        after: its version in the second release; empty if it was removed.
    """

    package: str
    before: str
    after: str


@dataclass(frozen=True)
class ImageNotes:
    """The changes of an image.

    Args:
        name: the image's name.
        before: its reference in the first release; empty if it was added.
        after: its reference in the second release; empty if it was removed.
        packages: the changed packages of the distribution, by name.
        python: the changed Python packages, by name.
        contract: what consumers see differently; empty unless both releases hold contracts.
    """

    name: str
    before: str
    after: str
    packages: tuple[Change, ...]
    python: tuple[Change, ...]
    contract: tuple[Difference, ...] = ()


async def release_notes(before: str, after: str, layout: str, given: Mapping[str, Any], login: Login) -> str:
    """Compare two releases.

    Args:
        before: the version of the first release.
        after: the version of the second release.
        layout: markdown or json.
        given: the settings given as arguments; `registry` and `lines` are read.
        login: the login to the registry.

    Raises:
        ReleaseError: one of them is not published.
        RegistryError: the registry refuses, or does not answer.
    """
    if layout not in _FORMATS:
        raise SettingsError(f"The format {layout!r} is not known; give {' or '.join(_FORMATS)}.")
    versions = parse_version(before), parse_version(after)
    settings = Settings(**given)
    address, names = parse_address(settings.registry), of_lines(settings.lines)
    async with login.access() as access, open_registry(address, access) as registry:
        reader = package_reader()
        old, new = [await _published(registry, version, names) for version in versions]
        notes = [await compare_images(name, (old.get(name), new.get(name)), versions, reader) for name in names]
    return (_markdown if layout == "markdown" else _json)(*versions, notes)


async def _published(registry: Registry, version: str, names: Iterable[str]) -> dict[str, Published]:
    images = await find_images(registry, version, names)
    if not images:
        raise ReleaseError(f"{registry.address} has no image of {version}; check --registry, --line and the version.")
    return images


async def compare_images(
    name: str, images: tuple[Published | None, Published | None], versions: tuple[str, str], reader: FileReader
) -> ImageNotes:
    """Compare two images of a name.

    Args:
        name: the images' name.
        images: the earlier and the later one; None for one that does not exist.
        versions: of their releases.
        reader: that of `package_reader`.

    Raises:
        RegistryError: the registry refuses, or a layer cannot be read.
    """
    files = before, after = [await reader.read(image) if image else {} for image in images]
    promised, kept = [contract_in(one, image) if image else None for one, image in zip(files, images, strict=True)]
    # The references have the versions under which the images were found, not those of their labels.
    old, new = [str(image.reference(one)) if image else "" for image, one in zip(images, versions, strict=True)]
    return ImageNotes(
        name,
        old,
        new,
        _changes(_packages(before), _packages(after)),
        _changes(_distributions(before), _distributions(after)),
        tuple(differences(promised, kept)) if promised and kept else (),
    )


def package_reader() -> FileReader:
    """Return what reads the files that `compare_images` needs, each layer once."""
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


def _json(before: str, after: str, notes: list[ImageNotes]) -> str:
    def sorted_out(changes: tuple[Change, ...]) -> dict[str, object]:
        return {
            "added": [asdict(change) for change in changes if not change.before],
            "removed": [asdict(change) for change in changes if not change.after],
            "upgraded": [asdict(change) for change in changes if change.before and change.after],
        }

    images = [
        {
            **asdict(one),
            "packages": sorted_out(one.packages),
            "python": sorted_out(one.python),
            "contract": [{**asdict(value), "breaking": value.is_breaking} for value in one.contract],
        }
        for one in notes
    ]
    return json_text({"from": before, "to": after, "images": images})


def _markdown(before: str, after: str, notes: list[ImageNotes]) -> str:
    return "\n".join([f"# From {before} to {after}", "", *(line for one in notes for line in _section(one, notes))])


def _section(one: ImageNotes, notes: list[ImageNotes]) -> Iterator[str]:
    """Write an image's own changes; those of its parent are in the parent's section."""
    parent = next((other for other in notes if other.name == by_name()[one.name].parent), None)
    yield from (f"## {one.name}", "", f"`{escaped(one.after or one.before)}`", "")
    if not (one.before and one.after):
        yield from ("New." if one.after else "No longer published.", "")
        return
    nothing = True
    for title, changes, below in (
        ("Package", one.packages, parent.packages if parent else ()),
        ("Python distribution", one.python, parent.python if parent else ()),
        ("Contract", _contract(one), _contract(parent) if parent else ()),
    ):
        own = [change for change in changes if change not in below]
        nothing &= not own
        yield from _table(title, own)
    if parent and (parent.packages or parent.python or parent.contract):
        yield from (f"And all that is new in {parent.name}.", "")
    elif nothing:
        yield from ("Nothing.", "")


def _contract(one: ImageNotes) -> tuple[Change, ...]:
    return tuple(Change(value.title, value.before, value.after) for value in one.contract)


def _table(title: str, changes: list[Change]) -> Iterator[str]:
    if not changes:
        return
    yield from (f"| {title} | before | after |", "| --- | --- | --- |")
    for one in changes:
        cells = (escaped_markdown(text) or NONE for text in (one.package, one.before, one.after))
        yield f"| {' | '.join(cells)} |"
    yield ""
