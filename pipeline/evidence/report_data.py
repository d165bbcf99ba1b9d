"""The report of a build as data: all that was measured, and all that the gates found, of every image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.build.assembly import Archive
from pipeline.build.inputs import Build
from pipeline.catalogue.image import Image
from pipeline.evidence.package_groups import OTHER
from pipeline.gates.definition import GateResult


@dataclass(frozen=True)
class Reported:
    """An image with what its archive holds, its sizes in bytes by group of packages, and what each gate found."""

    image: Image
    archive: Archive
    groups: Mapping[str, int]
    results: Sequence[GateResult]


def report_document(reported: Sequence[Reported], build: Build, now: str) -> dict[str, Any]:
    """Return what the page shows, for JSON.

    Args:
        reported: the images, parents before children.
        build: their settings and base.
        now: when the images were looked at, as in 2026-01-31T12:00:00Z.
    """
    images = [_image(one, build) for one in reported]
    return {
        "version": build.settings.version,
        "created": build.settings.created,
        "looked_at": now,
        "source": build.settings.source,
        "revision": build.settings.revision,
        "base": build.base.reference,
        "passed": all(image["passed"] for image in images),
        **{key: value for one in reported for result in one.results for key, value in result.common.items()},
        "images": images,
    }


def _image(one: Reported, build: Build) -> dict[str, Any]:
    image, archive = one.image, one.archive
    problems = [
        {"gate": result.gate, "subject": problem.subject, "sentence": problem.sentence}
        for result in one.results
        for problem in result.problems
    ]
    return {
        "name": image.name,
        "title": image.title,
        "description": image.description,
        "parent": image.parent,
        "reference": build.reference(image.name),
        "pull": f"{build.reference(image.name)}@{archive.digest}",
        "digest": archive.digest,
        "size": archive.size,
        "unpacked_size": archive.unpacked_size,
        "groups": {**one.groups, OTHER: max(0, archive.unpacked_size - sum(one.groups.values()))},
        "layers": [
            {"digest": digest, "size": size} for digest, size in zip(archive.layers, archive.layer_sizes, strict=True)
        ],
        "passed": not problems,
        "problems": problems,
        **{key: value for result in one.results for key, value in result.part.items()},
    }
