"""The report of a build: a page for people, and the same data for programs."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import dagger
import jinja2

from pipeline.build.assembly import Archive, BuiltImage, open_images
from pipeline.build.inputs import Build
from pipeline.concurrency import both, concurrently
from pipeline.escape import escaped_lines, json_text
from pipeline.evidence.package_groups import sizes_of_groups
from pipeline.evidence.report_data import UNCOMPARED, ContractChanges, Reported, report_document
from pipeline.gates import GATES
from pipeline.gates.definition import GateInputs, Look
from pipeline.gates.hold import files_of, look_at, prepare_all

_TEMPLATE = Path(__file__).parent.parent / "data" / "report.html"


async def report(names: Iterable[str], inputs: GateInputs, changes: ContractChanges = UNCOMPARED) -> dagger.Directory:
    """Build images, examine them with every gate, and report the findings, good or bad.

    Args:
        names: the names of the images; empty for all.
        inputs: the gates' inputs, which include the settings of the build.
        changes: of the images' contracts since a release.

    Returns:
        report.html, report.json, and the gates' files: the SBOMs, and the vulnerabilities in GitLab's form.

    Raises:
        UnknownImageError: there is no such image.
        ToolError, HoldError, SettingsError: a gate cannot be held.
        dagger.ExecError: an image cannot be built.
    """
    images = open_images(names, inputs.build)
    return await report_on(images, await prepare_all(GATES, inputs), inputs.build, inputs.clock(), changes)


async def report_on(
    images: Sequence[BuiltImage],
    looks: Iterable[Look],
    build: Build,
    now: str,
    changes: ContractChanges = UNCOMPARED,
) -> dagger.Directory:
    """Examine images with gates, and report the findings.

    Args:
        images: the images, parents before children.
        looks: the prepared gates.
        build: the settings and the base of the images.
        now: the present time, as in 2026-01-31T12:00:00Z.
        changes: of the images' contracts since a release.

    Raises:
        ToolError: a gate cannot be held.
        dagger.ExecError: an image cannot be built.
    """
    # Packing a large layer takes longest, so it begins first.
    measured, results = await both(
        partial(concurrently, [partial(_measure, image) for image in images]), partial(look_at, looks, images)
    )
    reported = [
        Reported(image.image, *sizes, [result for result in results if result.image == image.name])
        for image, sizes in zip(images, measured, strict=True)
    ]
    document = report_document(reported, build, now, changes)
    return (
        files_of(results).with_new_file("report.html", page(document)).with_new_file("report.json", json_text(document))
    )


async def _measure(image: BuiltImage) -> tuple[Archive, dict[str, int]]:
    archive = await image.archive.get()
    return archive, await sizes_of_groups(await image.container.get(), image.name)


def page(document: Mapping[str, Any]) -> str:
    """Render the page of a report: static and self-contained, without scripts, with all data escaped."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_printable
    )
    environment.filters["megabytes"] = _megabytes
    return environment.from_string(_TEMPLATE.read_text()).render(document)


def _printable(value: Any) -> Any:
    return escaped_lines(value) if isinstance(value, str) else value


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size < 10_000_000 else f"{size / 1_000_000:.0f} MB"
