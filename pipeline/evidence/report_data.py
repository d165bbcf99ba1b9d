"""The report of a build as data: the measurements and the gates' findings of every image."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from pipeline.build.assembly import Archive
from pipeline.build.end_of_life import of_line
from pipeline.build.inputs import Build
from pipeline.catalogue.image import Image
from pipeline.catalogue.lines import Line, find_line
from pipeline.checks.contract import Difference
from pipeline.evidence.package_groups import OTHER
from pipeline.gates.definition import GateResult


@dataclass(frozen=True)
class Reported:
    """An image, its archive, its sizes in bytes by group of packages, and the results of its gates."""

    image: Image
    archive: Archive
    groups: Mapping[str, int]
    results: Sequence[GateResult]


@dataclass(frozen=True)
class ContractChanges:
    """What consumers of images see differently since a release.

    Args:
        since: the release's version; empty if contracts are compared with none.
        images: the differences by the images' names; an image is missing if it has no contract in both.
    """

    since: str = ""
    images: Mapping[str, Sequence[Difference]] = field(default_factory=dict)


#: Of a report that compares contracts with no release.
UNCOMPARED = ContractChanges()


def report_document(
    reported: Sequence[Reported], build: Build, now: str, changes: ContractChanges = UNCOMPARED
) -> dict[str, Any]:
    """Return the data of the page.

    Args:
        reported: the images, parents before children.
        build: their settings and bases.
        now: the time of the examination, as in 2026-01-31T12:00:00Z.
        changes: of the images' contracts.
    """
    images = [{**_image(each, build), "contract": contract_part(each.image.name, changes)} for each in reported]
    return {
        "version": build.settings.version,
        "created": build.settings.created,
        "looked_at": now,
        "source": build.settings.source,
        "revision": build.settings.revision,
        "lines": [_line(find_line(name), build, now) for name in build.bases],
        "compared_with": changes.since,
        "passed": all(image["passed"] for image in images),
        **{key: value for each in reported for result in each.results for key, value in result.common.items()},
        "images": images,
    }


def _line(line: Line, build: Build, now: str) -> dict[str, str]:
    return {
        "name": line.name,
        "base": build.bases[line.name].reference,
        "end_of_life": line.end_of_life.isoformat(),
        "warning": of_line(line).warning(date.fromisoformat(now[:10])),
    }


def contract_part(name: str, changes: ContractChanges) -> dict[str, Any]:
    """Return what the report says of an image's contract."""
    found = changes.images.get(name)
    listed = [{**asdict(one), "title": one.title, "breaking": one.is_breaking} for one in found or ()]
    return {"compared": found is not None, "changes": listed}


def _image(reported: Reported, build: Build) -> dict[str, Any]:
    image, archive = reported.image, reported.archive
    problems = [
        {"gate": result.gate, "subject": problem.subject, "sentence": problem.sentence}
        for result in reported.results
        for problem in result.problems
    ]
    return {
        "name": image.name,
        "line": image.line.name,
        "title": image.title,
        "description": image.description,
        "parent": image.parent,
        "reference": build.reference(image.name),
        "pull": f"{build.reference(image.name)}@{archive.digest}",
        "digest": archive.digest,
        "size": archive.size,
        "unpacked_size": archive.unpacked_size,
        "groups": {**reported.groups, OTHER: max(0, archive.unpacked_size - sum(reported.groups.values()))},
        "layers": [
            {"digest": digest, "size": size} for digest, size in zip(archive.layers, archive.layer_sizes, strict=True)
        ],
        "passed": not problems,
        "problems": problems,
        **{key: value for result in reported.results for key, value in result.part.items()},
    }
