"""What a build says of its images: build-report.json."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from pipeline.build.assembly import Archive
from pipeline.build.inputs import Build
from pipeline.catalogue.image import Image
from pipeline.checks import CheckResult
from pipeline.escape import json_text


def file_name(image: Image) -> str:
    """Return the name of an image's archive."""
    return f"{image.name}.tar"


def build_report(build: Build, images: Iterable[tuple[Image, Archive, Sequence[CheckResult]]]) -> str:
    """Return build-report.json.

    Args:
        build: the settings and the base.
        images: each with what its archive holds and what its checks found.
    """
    document = {
        "version": build.settings.version,
        "created": build.settings.created,
        "base": build.base.reference,
        "snapshot": build.settings.snapshot_id,
        "images": [_entry(build, *one) for one in images],
    }
    return json_text(document)


def _entry(build: Build, image: Image, archive: Archive, results: Sequence[CheckResult]) -> dict[str, object]:
    return {
        "name": image.name,
        "reference": build.reference(image.name),
        "parent": image.parent,
        "title": image.title,
        "archive": file_name(image),
        **asdict(archive),
        "checks": [asdict(result) for result in results],
    }
