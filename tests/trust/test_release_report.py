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
from pipeline.checks.contract import Contract
from pipeline.errors import ReleaseError
from pipeline.gates.definition import GateInputs
from pipeline.registry.address import parse_address
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.content import read_archive
from pipeline.release.login import Login
from pipeline.release.push import push_release
from pipeline.release.release_report import Release, report_release
from pipeline.release.tags import Tags
from tests.built_images import OF_ONE_LINE
from tests.publish.conftest import NOBODY, Running
from tests.publish.small_release import Recipe
from tests.publish.small_release import make as make_release
from tests.publish.test_outdated import candidate
from tests.trust.databases import NOT_HERE, make, order_of


async def look(build: Build, registry: Registry, version: str, root: Path) -> dagger.Directory:
    settings = build.settings.model_copy(update={"registry": str(registry.address)})
    order = order_of(make(root / "database", *NOT_HERE))
    inputs = GateInputs(replace(build, settings=settings), moment, order)
    return await report_release(Release(version, Login()), inputs)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def address(server: Running) -> str:
    """The registry of the release that is reported."""
    return f"{server.host}/reported"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def made(
    trusting: Build, archives: dict[str, Path], address: str, tmp_path_factory: pytest.TempPathFactory
) -> dagger.Directory:
    """The report of a release that has ska-base under all names, after one that has a contract of ska-base alone."""
    root = tmp_path_factory.mktemp("reported")
    old = Contract("ska-base", "debian-12", {"tools": {"vi": "9"}}).render().encode()
    recipe = Recipe(address, "3.2.0", files={"ska-base": {"etc/skao.contract.json": old}})
    async with open_registry(parse_address(address), NOBODY) as registry:
        await push_release(registry, Tags("3.2.0"), make_release(root / "old", recipe))
        await push_release(registry, Tags("3.2.1"), [candidate(name, archives["ska-base"]) for name in OF_ONE_LINE])
        return await look(trusting, registry, "3.2.1", root)


async def test_a_release_is_reported_as_it_is_in_the_registry(
    made: dagger.Directory, address: str, archives: dict[str, Path]
) -> None:
    document: dict[str, Any] = json.loads(await made.file("report.json").contents())
    digest = read_archive(archives["ska-base"]).manifest.digest
    assert document["version"] == "3.2.1"
    assert [image["pull"] for image in document["images"]] == [
        f"{address}/{name}:3.2.1@{digest}" for name in OF_ONE_LINE
    ]
    base, python = document["images"][0], document["images"][-1]
    assert base["passed"] and base["audit"]["failed"] == 0
    # The image under this name has no Python, which its checks find.
    assert not python["passed"] and not document["passed"]
    assert {"report.html", "gl-container-scanning-report.json"} < set(await made.entries())


async def test_a_release_is_compared_with_the_one_before_it(made: dagger.Directory) -> None:
    document = json.loads(await made.file("report.json").contents())
    contracts = {image["name"]: image["contract"] for image in document["images"]}
    assert document["compared_with"] == "3.2.0"
    changed = {one["title"]: one["breaking"] for one in contracts["ska-base"]["changes"]}
    assert (changed["tools vi"], changed["tools bash"]) == (True, False)


async def test_the_size_of_an_image_is_told_by_groups_of_packages(made: dagger.Directory) -> None:
    (image, *_) = json.loads(await made.file("report.json").contents())["images"]
    assert sum(image["groups"].values()) >= image["unpacked_size"]
    assert {"libs", "utils", "no package"} < image["groups"].keys()
    assert image["groups"]["libs"] > 10_000_000


async def test_a_release_that_is_not_there_is_named(trusting: Build, registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"/ska-base:9\.9\.9 is not published; check --registry, --tag and --line\."):
        await look(trusting, registry, "9.9.9", tmp_path)
