"""What a build says of its images: build-report.json."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from pipeline.build.assembly import Archive
from pipeline.build.inputs import Build
from pipeline.catalogue.image import Image
from pipeline.catalogue.lines import Line, find_line
from pipeline.checks import CheckResult
from pipeline.escape import json_text


def file_name(image: Image) -> str:
    """Return the name of an image's archive."""
    return f"{image.name}.tar"


def build_report(build: Build, images: Iterable[tuple[Image, Archive, Sequence[CheckResult]]]) -> str:
    """Return build-report.json.

    Args:
        build: the settings and the bases.
        images: each with what its archive holds and what its checks found.
    """
    document = {
        "version": build.settings.version,
        "created": build.settings.created,
        "lines": [_line(find_line(name), build) for name in build.bases],
        "images": [_entry(build, *one) for one in images],
    }
    return json_text(document)


def _line(line: Line, build: Build) -> dict[str, object]:
    base = build.bases[line.name]
    return {
        "name": line.name,
        "base": base.reference,
        "distribution": base.distribution.name,
        "snapshot": build.settings.snapshot_of(base.reference),
        "end_of_life": line.end_of_life.isoformat(),
    }


def _entry(build: Build, image: Image, archive: Archive, results: Sequence[CheckResult]) -> dict[str, object]:
    return {
        "name": image.name,
        "reference": build.reference(image.name),
        "line": image.line.name,
        "parent": image.parent,
        "title": image.title,
        "archive": file_name(image),
        **asdict(archive),
        "checks": [asdict(result) for result in results],
    }
