"""`publish` itself, with small images in the place of those that the engine would build."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import AsyncMock

import dagger
import pytest
from dagger import dag
from embedded_engine.session import Session

from pipeline.build.assembly import Archive, BuiltImage
from pipeline.build.inputs import Build
from pipeline.errors import RegistryError, ReleaseError
from pipeline.gates import CHECKS
from pipeline.registry.address import parse_address
from pipeline.registry.registry import Registry, open_registry
from pipeline.release import publish as module
from pipeline.release.content import read_archive
from pipeline.release.login import Login
from pipeline.release.publish import Order, publish
from pipeline.release.push import Candidate, push_release
from pipeline.release.tags import Tags
from tests.built_images import built_image
from tests.publish.conftest import NOBODY, Maker, Running, digests, of
from tests.publish.proxy import Proxy, answer
from tests.publish.small_release import BOTTOM, CREATED, layer, make_base
from tests.registry import free_address

VERSION = "1.0.0-rc.1"
#: The layer of the base, packed anew: the same files at another moment.
REPACKED = layer({"etc/os-release": b"ID=small\n", "bin/": b""}, moment=1)


@pytest.fixture
async def base(server: Running, path: str, tmp_path: Path) -> str:
    """The base in a registry, by its reference."""
    image = make_base(tmp_path)
    async with open_registry(parse_address(f"{server.host}/{path}/upstream"), NOBODY) as upstream:
        await push_release(upstream, Tags("22.04"), [image])
    return f"{server.host}/{path}/upstream/ubuntu:22.04@{image.digest}"


@dataclass(frozen=True)
class SmallImage(BuiltImage):
    """A small image in the place of one that an engine built and checked."""

    file: Path

    async def tarball(self) -> dagger.File:
        return dag.host().file(str(self.file))


def built(image: Candidate, build: Build) -> SmallImage:
    """Return a small image as one of a build."""
    archive = image.content.args[0]  # type: ignore[attr-defined]
    manifest = read_archive(archive).manifest
    layers, sizes = tuple(one.digest for one in manifest.layers), tuple(one.size for one in manifest.layers)
    held = Archive(manifest.digest, sum(sizes), sum(sizes), layers, sizes)
    one = built_image(image.name, held, build=build)
    return SmallImage(one.image, one.build, one.container, one.packed, one.archive, one.checks, archive)


async def published(
    registry: str,
    base: str,
    images: Sequence[Candidate] | None,
    monkeypatch: pytest.MonkeyPatch,
    version: str = VERSION,
) -> dict[str, str]:
    """Publish images, and return the digests of the document; None for images that nobody may build."""

    def open_images(_: object, build: Build) -> list[BuiltImage]:
        assert images is not None, "something was built"
        return [built(image, build) for image in images]

    monkeypatch.setattr(module, "open_images", open_images)
    given = {"registry": registry, "base": base, "created": CREATED}
    text = await publish(Order(version, to=registry), given, None, Login())
    return {image["name"]: image["digest"] for image in json.loads(text)["images"]}


async def test_a_release_that_broke_off_is_completed_without_another_build(
    engine: Session,
    registry: Registry,
    proxy: Proxy,
    path: str,
    base: str,
    release: Maker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images = release(version=VERSION, base=base, registry=f"{proxy.address}/{path}")
    proxy.plan(answer(403), "PUT", f"ska-build-python/manifests/{VERSION}$")
    with pytest.raises(RegistryError, match="403"):
        await published(f"{proxy.address}/{path}", base, images, monkeypatch)
    assert set(await digests(registry, VERSION)) == {"ska-base", "ska-build"}
    assert await published(f"{proxy.address}/{path}", base, None, monkeypatch) == of(images)
    assert await digests(registry, VERSION) == of(images)


async def test_a_release_of_other_settings_is_built_and_refused(
    engine: Session, server: Running, path: str, base: str, release: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"{server.host}/{path}"
    await published(place, base, release(version=VERSION, base=base), monkeypatch)
    monkeypatch.setenv("SKA_TEAM", "Another Team")
    with pytest.raises(ReleaseError, match="a version never changes"):
        await published(place, base, release(version=VERSION, base=base, moment=1), monkeypatch)


async def test_images_that_begin_with_other_layers_than_their_bases_are_not_pushed(
    engine: Session, server: Running, path: str, base: str, release: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert REPACKED != BOTTOM
    images = release(version=VERSION, base=base, bottom=REPACKED)
    with pytest.raises(ReleaseError, match=r"do not begin with the layers of \S+ubuntu:22\.04@.*; prune the engine's"):
        await published(f"{server.host}/{path}", base, images, monkeypatch)
    assert server.repositories(path) <= {"upstream"}


async def test_a_base_that_cannot_be_asked_for_stops_no_pre_release(
    engine: Session, server: Running, path: str, release: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = f"{free_address()}/ubuntu:22.04@sha256:{'b' * 64}"
    images = release(version=VERSION, base=base)
    assert await published(f"{server.host}/{path}", base, images, monkeypatch) == of(images)


async def test_a_base_that_cannot_be_asked_for_stops_a_final_version(
    engine: Session, server: Running, path: str, release: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = f"{free_address()}/ubuntu:22.04@sha256:{'b' * 64}"
    monkeypatch.setattr(module, "require_section", lambda *_: None)
    monkeypatch.setattr(module, "_gates", lambda *_, **__: (CHECKS,))
    # No contract of Ubuntu is recorded, since no Ubuntu can be built here.
    monkeypatch.setattr(module, "require_continuity", AsyncMock())
    with pytest.raises(
        ReleaseError,
        match=r"The layers of \S+ cannot be compared with those of the images, so nothing was pushed",
    ):
        await published(f"{server.host}/{path}", base, release(base=base), monkeypatch, "1.0.0")
    assert server.repositories(path) == set()
