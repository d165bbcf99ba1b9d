"""The notes of a release, as Markdown for people and as JSON for programs."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, astuple, dataclass, field
from itertools import groupby
from typing import TypeVar

from pipeline.build.severity import SEVERITIES
from pipeline.catalogue.lookup import find
from pipeline.checks.contract import Difference
from pipeline.escape import escaped, escaped_markdown, json_text
from pipeline.release.scan_changes import KnownVulnerability, ScanChanges

NONE = "–"  # noqa: RUF001  in a table, for a missing version
_Row = tuple[str, str, str]
T = TypeVar("T")


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
        scans: the known vulnerabilities that went and came.
    """

    name: str
    before: str
    after: str
    packages: tuple[Change, ...] = ()
    python: tuple[Change, ...] = ()
    contract: tuple[Difference, ...] = ()
    scans: ScanChanges = field(default_factory=ScanChanges)

    @property
    def is_in_both(self) -> bool:
        """Whether both releases have the image."""
        return bool(self.before and self.after)


#: Of what is not there.
_NOTHING = ImageNotes("", "", "")


@dataclass(frozen=True)
class Notes:
    """What is new in a release.

    Args:
        before: the version of the first release; empty if there is none.
        after: the version of the second release.
        images: the images of all lines, line by line, parents before children.
    """

    before: str
    after: str
    images: tuple[ImageNotes, ...]


def render_json(notes: Notes) -> str:
    """Return the notes as JSON."""

    def sorted_out(changes: Iterable[Change]) -> dict[str, object]:
        listed = list(changes)
        return {
            "added": [asdict(change) for change in listed if not change.before],
            "removed": [asdict(change) for change in listed if not change.after],
            "upgraded": [asdict(change) for change in listed if change.before and change.after],
        }

    images = [
        {
            "name": one.name,
            "line": find(one.name).line.name,
            "before": one.before,
            "after": one.after,
            "packages": sorted_out(one.packages),
            "python": sorted_out(one.python),
            "contract": [{**asdict(value), "breaking": value.is_breaking} for value in one.contract],
            "vulnerabilities": asdict(one.scans),
        }
        for one in notes.images
    ]
    return json_text({"from": notes.before, "to": notes.after, "images": images})


def render_markdown(notes: Notes) -> str:
    """Return the notes as Markdown: a part for each line of images, and in it a section for each image."""
    title = f"From {notes.before} to {notes.after}" if notes.before else notes.after
    lines = [f"# {title}", "", *_breaking(notes), *_scans(notes)]
    for line, images in groupby(notes.images, lambda one: find(one.name).line.name):
        lines += [f"## {line}", ""]
        lines += [text for one in images for text in _section(one, notes)]
    return "\n".join(lines)


def _breaking(notes: Notes) -> Iterator[str]:
    """Say first what the release takes from those who build on its images."""
    broken = [
        (one.name, value)
        for one in notes.images
        for value in _own(one.contract, _parent(one, notes).contract)
        if value.is_breaking
    ]
    if not broken:
        return
    yield from ("What is built on these images may stop working:", "")
    for name, value in broken:
        title, before, after = map(escaped_markdown, (value.title, value.before, value.after))
        yield f"- {name}: {title} was {before}, and is {after or 'gone'}"
    yield ""


def _scans(notes: Notes) -> Iterator[str]:
    """Count the known vulnerabilities that went and came, and name the images that were not compared."""
    in_both = [one for one in notes.images if one.is_in_both]
    if compared := [one.scans for one in in_both if one.scans.before]:
        went = {found.vulnerability for one in compared for found in one.went}
        came = {found.vulnerability for one in compared for found in one.came}
        before, after = (", ".join(sorted(set(days))) for days in zip(*(one.days for one in compared), strict=True))
        yield f"By the scans of {before} and {after}, {len(went)} known vulnerabilities went, and {len(came)} came."
        yield from ("What came may have been there before, and not been known.", "") if came else ("",)
    for reason, images in _unknown(in_both).items():
        of = "" if len(images) == len(in_both) else f" of {', '.join(images)}"
        yield from (f"Known vulnerabilities{of} are not compared: {escaped_markdown(reason)}.", "")


def _unknown(images: Iterable[ImageNotes]) -> dict[str, list[str]]:
    """Return the images whose scans are not compared, by the reason."""
    found: dict[str, list[str]] = {}
    for one in images:
        if one.scans.unknown:
            found.setdefault(one.scans.unknown, []).append(one.name)
    return found


def _section(one: ImageNotes, notes: Notes) -> Iterator[str]:
    """Write an image's own changes; those of its parent are in the parent's section."""
    parent = _parent(one, notes)
    yield from (f"### {one.name}", "", f"`{escaped(one.after or one.before)}`", "")
    if not one.is_in_both:
        yield from ("New." if one.after else "No longer published.", "")
        return
    own = [line for table in _tables(one, parent) for line in table]
    yield from own
    if any(map(list, _tables(parent, _NOTHING))):
        yield from (f"And all that is new in {parent.name}.", "")
    elif not own:
        yield from ("Nothing.", "")


def _parent(one: ImageNotes, notes: Notes) -> ImageNotes:
    """Return the notes of an image's parent; empty ones for a first image."""
    return next((other for other in notes.images if other.name == find(one.name).parent), _NOTHING)


def _tables(one: ImageNotes, below: ImageNotes) -> Iterator[Iterator[str]]:
    """Return the tables of what is new in an image and not already in another one."""
    yield _table(("Contract", "before", "after"), _own(_contract(one), _contract(below)))
    yield _table(("Vulnerability, gone", "severity", "packages"), _grouped(_own(one.scans.went, below.scans.went)))
    yield _table(("Vulnerability, new", "severity", "packages"), _grouped(_own(one.scans.came, below.scans.came)))
    yield _table(("Package", "before", "after"), map(astuple, _own(one.packages, below.packages)))
    yield _table(("Python distribution", "before", "after"), map(astuple, _own(one.python, below.python)))


def _own(values: Iterable[T], below: Iterable[T]) -> list[T]:
    known = set(below)
    return [value for value in values if value not in known]


def _contract(one: ImageNotes) -> list[_Row]:
    return [(value.title, value.before, value.after) for value in one.contract]


def _grouped(found: Iterable[KnownVulnerability]) -> Iterator[_Row]:
    """Return a row for each vulnerability, the gravest first, with all packages that have it."""
    packages: dict[tuple[str, str], list[str]] = {}
    for one in found:
        packages.setdefault((one.vulnerability, one.severity), []).append(one.package)
    gravest_first = sorted(packages, key=lambda key: (-SEVERITIES.index(key[1]), key[0]))
    return ((*key, ", ".join(packages[key])) for key in gravest_first)


def _table(header: _Row, rows: Iterable[_Row]) -> Iterator[str]:
    lines = [f"| {' | '.join(escaped_markdown(cell) or NONE for cell in row)} |" for row in rows]
    if lines:
        yield from (f"| {' | '.join(header)} |", "| --- | --- | --- |", *lines, "")
