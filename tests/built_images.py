"""Images of a run whose parts are known, in the place of those that an engine would build."""

from collections.abc import Iterable
from typing import TypeVar

import dagger
from dagger import dag

from pipeline.build.assembly import Archive, BuiltImage
from pipeline.build.inputs import Base, Build
from pipeline.build.settings import Settings
from pipeline.catalogue.lookup import find
from pipeline.checks import CheckResult
from pipeline.concurrency import Shared
from pipeline.gates.tools import UsedTool

T = TypeVar("T")

TRIVY = UsedTool("trivy", "0.76.0", "a" * 64)
RULES = UsedTool("ssg-debian12-ds.xml", "0.1.82", "b" * 64)


def ready(value: T) -> Shared[T]:
    """Return what gives a value that is there already."""

    async def give() -> T:
        return value

    return Shared(give)


def stand_in_build(**given: str) -> Build:
    """Return a build on a stand-in; nothing asks an engine for it."""
    return Build(Settings(**given), Base(dag.container(), "bootstrap:debian-12"))


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
    return BuiltImage(
        find(name), build or stand_in_build(), ready(container or dag.container()), ready(archive), checks
    )
