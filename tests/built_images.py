"""Images of a run whose parts are known, in the place of those that an engine would build."""

from collections.abc import Iterable
from typing import TypeVar

import dagger
from dagger import dag

from pipeline.build.assembly import Archive, BuiltImage
from pipeline.build.base import distribution_of
from pipeline.build.inputs import Base, Build
from pipeline.build.settings import Settings
from pipeline.catalogue.lines import find_line
from pipeline.catalogue.lookup import find, of_lines
from pipeline.checks import CheckResult
from pipeline.concurrency import Shared
from pipeline.gates.tools import UsedTool

T = TypeVar("T")

#: The line that is built unless another is named, and its images.
LINE = "ubuntu22"
OF_ONE_LINE = of_lines([LINE])

TRIVY = UsedTool("trivy", "0.76.0", "a" * 64)
RULES = UsedTool("ssg-debian12-ds.xml", "0.1.82", "b" * 64)


def ready(value: T) -> Shared[T]:
    """Return what gives a value that is there already."""

    async def give() -> T:
        return value

    return Shared(give)


def build_on(
    settings: Settings, reference: str, extra_tags: tuple[str, ...] = (), *, container: dagger.Container | None = None
) -> Build:
    """Return a build of one line.

    Args:
        settings: of the build.
        reference: of the base; an archive is of the line's distribution.
        extra_tags: further tags.
        container: the base, unless nothing asks an engine for it.
    """
    base = Base(container or dag.container(), reference, distribution_of(find_line(LINE), reference))
    return Build(settings, {LINE: base}, extra_tags)


def stand_in_build(**given: str) -> Build:
    """Return a build on a stand-in; nothing asks an engine for it."""
    return build_on(Settings(**given), "bootstrap:debian-12")


def built_image(
    name: str,
    archive: Archive,
    *,
    build: Build | None = None,
    container: dagger.Container | None = None,
    results: Iterable[CheckResult] = (),
) -> BuiltImage:
    """Return an image of the catalogue that is built, packed and checked."""
    checks = {result.name: ready(result) for result in results}
    evaluated = ready(container or dag.container())
    return BuiltImage(find(name), build or stand_in_build(), evaluated, evaluated, ready(archive), checks)
