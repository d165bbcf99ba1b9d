"""Which release of ours an image of others stands on, and what the newest one would bring it."""

import dataclasses
import json
import tarfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from dagger import dag
from embedded_engine.session import Session

from pipeline.build.inputs import Build
from pipeline.build.settings import moment
from pipeline.errors import ReleaseError, SettingsError
from pipeline.gates.definition import GateInputs
from pipeline.registry.address import parse_address
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.content import ImageContent, read_archive
from pipeline.release.login import Login
from pipeline.release.push import Candidate, push_release
from pipeline.release.stale import Survey, parse_list, stale
from pipeline.release.tags import Tags
from tests.publish.conftest import NOBODY, Maker
from tests.publish.small_release import CREATED, layer, write_archive
from tests.publish.test_notes import files
from tests.trust.databases import NOT_HERE, Planted, make, order_of

OLD, NEW = {"libc6": "2.35-1", "login": "1"}, {"libc6": "2.35-2", "tzdata": "2026a"}
DEBIAN = layer({"etc/os-release": b'ID=debian\nVERSION_ID="12"\nNAME="Debian"\n', "etc/debian_version": b"12.5\n"})
TODAY = "2026-11-26T00:00:00Z"


@asynccontextmanager
async def _content(path: Path) -> AsyncIterator[ImageContent]:
    yield read_archive(path)


def _layers(archive: Path) -> list[bytes]:
    """Return the layers of an archive as they are packed."""
    with tarfile.open(archive) as opened:

        def read(name: str) -> bytes:
            file = opened.extractfile(name)
            assert file is not None
            return file.read()

        entry = json.loads(read("index.json"))["manifests"][0]["digest"]
        manifest = json.loads(read(f"blobs/sha256/{entry[7:]}"))
        return [read(f"blobs/sha256/{one['digest'][7:]}") for one in manifest["layers"]]


async def push_application(registry: Registry, name: str, parent: Path | None, directory: Path) -> str:
    """Push an image without a label that stands on an archive, or on nothing of ours, and return its reference."""
    below = _layers(parent) if parent else [layer({"etc/os-release": b"ID=other\n"})]
    archive = directory / f"{name}.tar"
    digest = write_archive(archive, [*below, layer({f"src/{name}": name.encode()})], {}, CREATED)
    address = parse_address(f"{registry.address}/apps")
    async with open_registry(address, NOBODY) as apps:
        await push_release(apps, Tags("0.1.0"), [Candidate(name, None, digest, partial(_content, archive))])
    return f"{address}/{name}:0.1.0"


@pytest.fixture
async def two(registry: Registry, release: Maker) -> Registry:
    """A registry with the releases 1.0.0 and 1.0.1."""
    await push_release(registry, Tags("1.0.0"), release(files={"ska-python": files(OLD)}, bottom=DEBIAN))
    newer = release(files={"ska-python": files(NEW)}, bottom=DEBIAN, version="1.0.1")
    await push_release(registry, Tags("1.0.1"), newer)
    return registry


def parent(tmp_path: Path, number: int, name: str = "ska-python") -> Path:
    """Return the archive of an image of the first or of the second release."""
    return tmp_path / f"release-{number}" / f"{name}.tar"


async def nothing_to_scan_with() -> GateInputs:
    raise AssertionError("nothing is to be scanned")


async def survey(
    registry: Registry,
    *references: str,
    inputs: Callable[[], Awaitable[GateInputs]] = nothing_to_scan_with,
    **changed: Any,
) -> list[dict[str, Any]]:
    """Return what is found about images."""
    wanted = dataclasses.replace(Survey(references, None, "", 30, scan=False, exit_code=0), **changed)
    given = {"registry": str(registry.address), "created": TODAY}
    return list(json.loads(await stale(wanted, given, Login(), inputs))["images"])


async def test_an_image_on_the_newest_release_is_fresh(two: Registry, tmp_path: Path) -> None:
    reference = await push_application(two, "app", parent(tmp_path, 2), tmp_path)
    (found,) = await survey(two, reference)
    assert (found["state"], found["reasons"], found["age"]) == ("fresh", [], 2)
    assert found["stands_on"].startswith(f"{two.address}/ska-python:1.0.1@sha256:")


async def test_an_image_on_an_old_release_lacks_what_the_newest_has(two: Registry, tmp_path: Path) -> None:
    reference = await push_application(two, "app", parent(tmp_path, 1), tmp_path)
    (found,) = await survey(two, reference)
    assert (found["state"], found["reasons"]) == ("stale", ["1.0.1 is newer than 1.0.0"])
    assert found["packages"] == [
        {"package": "libc6", "before": "2.35-1", "after": "2.35-2"},
        {"package": "login", "before": "1", "after": ""},
        {"package": "tzdata", "before": "", "after": "2026a"},
    ]
    assert found["vulnerabilities"] is None


async def test_an_image_on_the_parent_of_an_image_stands_on_the_parent(two: Registry, tmp_path: Path) -> None:
    reference = await push_application(two, "app", parent(tmp_path, 1, "ska-build"), tmp_path)
    (found,) = await survey(two, reference)
    assert found["stands_on"].startswith(f"{two.address}/ska-build:1.0.0@")


async def test_an_image_on_another_base_is_foreign(two: Registry, tmp_path: Path) -> None:
    reference = await push_application(two, "other", None, tmp_path)
    (found,) = await survey(two, reference)
    assert (found["state"], found["stands_on"]) == ("foreign", "")


async def test_an_old_release_is_a_reason_though_it_is_the_newest(two: Registry, tmp_path: Path) -> None:
    reference = await push_application(two, "app", parent(tmp_path, 2), tmp_path)
    (found,) = await survey(two, reference, max_age=1)
    assert found["reasons"] == ["of the release that it stands on: it is 2 days old; the limit is 1"]


async def test_an_image_that_is_not_there_is_unknown(two: Registry) -> None:
    (found,) = await survey(two, f"{two.address}/apps/missing:0.1.0")
    assert (found["state"], found["unknown"]) == ("unknown", ["the registry has no such image"])


async def test_every_repository_below_a_path_is_examined(two: Registry, tmp_path: Path) -> None:
    for name, on in (("fresh-app", parent(tmp_path, 2)), ("other", None), ("stale-app", parent(tmp_path, 1))):
        await push_application(two, name, on, tmp_path)
    found = await survey(two, below=f"{two.address}/apps")
    assert [image["state"] for image in found] == ["fresh", "foreign", "stale"]


async def test_a_registry_without_a_release_is_refused(registry: Registry) -> None:
    with pytest.raises(ReleaseError, match="has no release; publish one first, or check --registry"):
        await survey(registry, f"{registry.address}/app:1.0.0")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"references": ()}, "Name an image with --reference or in --file, or a registry's path with --below."),
        ({"exit_code": 256}, "exit_code must be a number from 0 to 255, not 256"),
        ({"references": ("app",)}, "app"),
    ],
)
async def test_a_survey_that_makes_no_sense_is_refused(
    registry: Registry, changed: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(SettingsError, match=sentence):
        await survey(registry, "host.example/app:1.0.0", **changed)


def test_a_file_names_an_image_a_line() -> None:
    assert parse_list("# ours\nhost/app:1\n\n  host/other:2  \n") == ["host/app:1", "host/other:2"]


async def test_the_vulnerabilities_that_go_are_those_that_the_newest_release_does_not_have(
    two: Registry, engine: Session, build: Build, tools: Path, tmp_path: Path
) -> None:
    goes = Planted("CVE-2026-0101", "CRITICAL", "login")
    stays = Planted("CVE-2026-0102", "CRITICAL", "libc6")
    database = make(tmp_path / "database", goes, stays, *NOT_HERE)
    equipped = dataclasses.replace(build, tools=dag.host().directory(str(tools)))

    async def inputs() -> GateInputs:
        return GateInputs(equipped, moment, order_of(database))

    reference = await push_application(two, "app", parent(tmp_path, 1), tmp_path)
    (found,) = await survey(two, reference, inputs=inputs, scan=True)
    assert found["vulnerabilities"] == ["CVE-2026-0101 login (critical)"]
