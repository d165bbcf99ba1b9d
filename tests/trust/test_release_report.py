"""The report of a release: of the images as a real registry has them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagger
import pytest
import pytest_asyncio

from pipeline.build.inputs import Build
from pipeline.build.settings import moment
from pipeline.errors import ReleaseError
from pipeline.gates.definition import GateInputs
from pipeline.registry.registry import Registry
from pipeline.release.content import read_archive
from pipeline.release.login import Login
from pipeline.release.push import push_release
from pipeline.release.release_report import Release, report_release
from pipeline.release.tags import Tags
from tests.built_images import OF_ONE_LINE
from tests.publish.test_outdated import candidate
from tests.trust.databases import NOT_HERE, make, order_of


async def look(build: Build, registry: Registry, version: str, root: Path) -> dagger.Directory:
    settings = build.settings.model_copy(update={"registry": str(registry.address)})
    order = order_of(make(root / "database", *NOT_HERE))
    inputs = GateInputs(replace(build, settings=settings), moment, order)
    return await report_release(Release(version, Login()), inputs)


@pytest_asyncio.fixture
async def made(trusting: Build, archives: dict[str, Path], registry: Registry, tmp_path: Path) -> dagger.Directory:
    """The report of a release that has ska-base under all names."""
    await push_release(registry, Tags("3.2.1"), [candidate(name, archives["ska-base"]) for name in OF_ONE_LINE])
    return await look(trusting, registry, "3.2.1", tmp_path)


async def test_a_release_is_reported_as_it_is_in_the_registry(
    made: dagger.Directory, registry: Registry, archives: dict[str, Path]
) -> None:
    document: dict[str, Any] = json.loads(await made.file("report.json").contents())
    digest = read_archive(archives["ska-base"]).manifest.digest
    assert document["version"] == "3.2.1"
    assert [image["pull"] for image in document["images"]] == [
        f"{registry.address}/{name}:3.2.1@{digest}" for name in OF_ONE_LINE
    ]
    base, python = document["images"][0], document["images"][-1]
    assert base["passed"] and base["audit"]["failed"] == 0
    # The image under this name has no Python, which its checks find.
    assert not python["passed"] and not document["passed"]
    assert {"report.html", "gl-container-scanning-report.json"} < set(await made.entries())


async def test_the_size_of_an_image_is_told_by_groups_of_packages(made: dagger.Directory) -> None:
    (image, *_) = json.loads(await made.file("report.json").contents())["images"]
    assert sum(image["groups"].values()) >= image["unpacked_size"]
    assert {"libs", "utils", "no package"} < image["groups"].keys()
    assert image["groups"]["libs"] > 10_000_000


async def test_a_release_that_is_not_there_is_named(trusting: Build, registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"/ska-base:9\.9\.9 is not published; check --registry, --tag and --line\."):
        await look(trusting, registry, "9.9.9", tmp_path)
