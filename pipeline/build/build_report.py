"""The results of a run: build-report.json, and the table of the checks."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from pipeline.build.inputs import Build
from pipeline.catalogue.image import Image
from pipeline.checks import CheckResult
from pipeline.errors import ChecksFailedError
from pipeline.escape import escaped, json_text


@dataclass(frozen=True)
class Archive:
    """The contents of an image's archive.

    Args:
        digest: of the manifest.
        size: of all layers as packed, in bytes.
        unpacked_size: of all files, in bytes.
        layers: the digests of the layers, the lowest first.
        layer_sizes: of each layer as packed, in bytes.
    """

    digest: str
    size: int
    unpacked_size: int
    layers: tuple[str, ...]
    layer_sizes: tuple[int, ...] = ()


@dataclass(frozen=True)
class CheckedImage:
    """An image and the results of its checks, in their order."""

    image: Image
    results: tuple[CheckResult, ...]


def file_name(image: Image) -> str:
    """Return the name of an image's archive."""
    return f"{image.name}.tar"


def build_report(build: Build, images: Iterable[tuple[CheckedImage, Archive]]) -> str:
    """Return build-report.json."""
    document = {
        "version": build.settings.version,
        "created": build.settings.created,
        "base": build.base.reference,
        "snapshot": build.settings.snapshot_id,
        "images": [_entry(build, checked, archive) for checked, archive in images],
    }
    return json_text(document)


def check_table(images: Iterable[CheckedImage]) -> str:
    """Return a line for each result, and below a failed one what was found."""
    listed = list(images)
    names = max((len(result.name) for checked in listed for result in checked.results), default=0)
    lines: list[str] = []
    for checked in listed:
        lines.append(checked.image.name)
        for result in checked.results:
            first, *rest = result.message.splitlines() or [""]
            mark = "pass" if result.passed else "FAIL"
            lines.append(f"  {mark}  {result.name.ljust(names)}  {escaped(first)}".rstrip())
            lines += [" " * (names + 10) + escaped(line) for line in rest]
    return "\n".join(lines) + "\n"


def require_passed(images: Iterable[CheckedImage]) -> None:
    """Refuse images that are not what they should be.

    Raises:
        ChecksFailedError: a check failed; the text holds the results of all.
    """
    listed = list(images)
    failed = [
        f"{checked.image.name}: {result.name}" for checked in listed for result in checked.results if not result.passed
    ]
    if failed:
        checks = "check" if len(failed) == 1 else "checks"
        raise ChecksFailedError(
            f"{len(failed)} {checks} failed ({', '.join(failed)}), so nothing is exported; "
            f"fix what is marked FAIL and run again.\n{check_table(listed)}".rstrip()
        )


def _entry(build: Build, checked: CheckedImage, archive: Archive) -> dict[str, object]:
    image = checked.image
    return {
        "name": image.name,
        "reference": build.reference(image.name),
        "parent": image.parent,
        "title": image.title,
        "archive": file_name(image),
        **asdict(archive),
        "checks": [asdict(result) for result in checked.results],
    }
