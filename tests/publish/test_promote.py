"""A release from one registry to another: the same digests, all or nothing."""

import json
from collections.abc import Iterator

import pytest

from pipeline.errors import RegistryError, ReleaseError, SettingsError, VerificationError
from pipeline.registry.address import parse_address
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.login import Login
from pipeline.release.promote import Side, promote
from pipeline.release.push import Candidate, push_release
from pipeline.release.tags import Tags
from tests.built_images import LINE
from tests.publish.conftest import NOBODY, Maker, Running, digests, of
from tests.publish.proxy import Proxy, answer, proxied
from tests.registry import running

TAGS = Tags("1.0.0", ("1.0", "latest"))


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Another registry."""
    with running(tmp_path_factory.mktemp("production")) as host:
        yield host


@pytest.fixture
async def staged(registry: Registry, release: Maker) -> list[Candidate]:
    """A release in the test's place of the first registry."""
    images = release(extra_tags=TAGS.extra)
    await push_release(registry, TAGS, images)
    return images


async def promoted(source: object, target: str, tag: str = "1.0.0", *, dry_run: bool = False) -> dict[str, object]:
    """Promote, and return the document."""
    sides = Side(str(source), Login()), Side(target, Login())
    return dict(json.loads(await promote(tag, [LINE], *sides, dry_run=dry_run, allow_stand_in_base=False)))


async def found(target: str, tag: str) -> dict[str, str]:
    """Return what a tag names in a registry."""
    async with open_registry(parse_address(target), NOBODY) as registry:
        return await digests(registry, tag)


async def test_the_digests_are_the_same_elsewhere(
    registry: Registry, staged: list[Candidate], production: str, path: str
) -> None:
    await promoted(registry.address, f"{production}/{path}")
    assert await found(f"{production}/{path}", "1.0.0") == of(staged)


async def test_an_image_gets_every_tag_that_it_names(
    registry: Registry, staged: list[Candidate], production: str, path: str
) -> None:
    await promoted(registry.address, f"{production}/{path}")
    for tag in TAGS.all:
        assert await found(f"{production}/{path}", tag) == of(staged)


async def test_the_document_names_each_image_where_it_is_now(
    registry: Registry, staged: list[Candidate], production: str, path: str
) -> None:
    document = await promoted(registry.address, f"{production}/{path}")
    references = [image["reference"] for image in document["images"]]  # type: ignore[attr-defined]
    assert references == [f"{production}/{path}/{one.name}:1.0.0@{one.digest}" for one in staged]


async def test_a_release_that_is_there_is_not_copied_again(
    registry: Registry, staged: list[Candidate], server: Running, path: str
) -> None:
    with proxied(server.host) as proxy:
        await promoted(registry.address, f"{proxy.address}/{path}/again")
        proxy.seen.clear()
        await promoted(registry.address, f"{proxy.address}/{path}/again")
        assert {seen.split()[0] for seen in proxy.seen} == {"GET"}


async def test_another_content_under_the_version_is_refused(
    registry: Registry, staged: list[Candidate], release: Maker, production: str, path: str
) -> None:
    others = release(files={"ska-base": {"new": b"new"}})
    async with open_registry(parse_address(f"{production}/{path}"), NOBODY) as target:
        await push_release(target, Tags("1.0.0"), others)
    with pytest.raises(ReleaseError, match="a version never changes"):
        await promoted(registry.address, f"{production}/{path}")
    assert await found(f"{production}/{path}", "1.0.0") == of(others)


async def test_within_a_host_no_layer_travels(
    behind: Registry, proxy: Proxy, server: Running, path: str, staged: list[Candidate]
) -> None:
    await promoted(behind.address, f"{proxy.address}/{path}/production")
    assert not [seen for seen in proxy.seen if seen.startswith("PUT") and "/blobs/" in seen]
    assert await found(f"{server.host}/{path}/production", "1.0.0") == of(staged)


async def test_a_source_that_breaks_off_is_asked_again(
    behind: Registry, proxy: Proxy, staged: list[Candidate], production: str, path: str
) -> None:
    proxy.plan(answer(502), "GET", "/blobs/sha256:", times=3)
    await promoted(behind.address, f"{production}/{path}")
    assert proxy.is_done
    assert await found(f"{production}/{path}", "1.0.0") == of(staged)


async def test_an_older_release_takes_the_tags_that_move_back(
    registry: Registry, staged: list[Candidate], release: Maker
) -> None:
    tags = Tags("1.0.1", TAGS.extra)
    newer = release(version=tags.version, extra_tags=tags.extra)
    await push_release(registry, tags, newer)
    assert await digests(registry, "latest") == of(newer)
    await promoted(registry.address, str(registry.address))
    assert await digests(registry, "latest") == await digests(registry, "1.0") == of(staged)
    assert await digests(registry, "1.0.1") == of(newer)


async def test_a_dry_run_copies_nothing(
    registry: Registry, staged: list[Candidate], server: Running, path: str
) -> None:
    document = await promoted(registry.address, f"{server.host}/{path}-dry", dry_run=True)
    assert document["dry_run"] is True
    assert server.repositories(f"{path}-dry") == set()


async def test_half_a_release_is_not_promoted(registry: Registry, release: Maker, production: str, path: str) -> None:
    await push_release(registry, Tags("1.0.0"), release()[:3])
    with pytest.raises(
        ReleaseError, match=r"ska-python:1\.0\.0 is not published, but the lines of a release are copied"
    ):
        await promoted(registry.address, f"{production}/{path}")


async def test_images_of_two_releases_are_not_promoted(
    registry: Registry, release: Maker, production: str, path: str
) -> None:
    one, other = release(), release(files={"ska-base": {"new": b"new"}})
    await push_release(registry, Tags("1.0.0"), [*one[:1], *other[1:]])
    with pytest.raises(VerificationError, match=r"ska-build@sha256:\S+ is not built on ska-base@sha256:"):
        await promoted(registry.address, f"{production}/{path}")


async def test_a_stand_in_base_is_not_promoted(registry: Registry, release: Maker, production: str, path: str) -> None:
    await push_release(registry, Tags("1.0.0"), release(base="bootstrap:debian-12"))
    with pytest.raises(ReleaseError, match=r"built on bootstrap:debian-12, a stand-in .* --allow-stand-in-base"):
        await promoted(registry.address, f"{production}/{path}")
    assert await found(f"{production}/{path}", "1.0.0") == {}


async def test_images_that_name_other_tags_are_not_promoted(
    registry: Registry, release: Maker, production: str, path: str
) -> None:
    await push_release(registry, Tags("1.0.0"), release(labels={"ska-build": {"int.skao.image.tags": "9.9.9"}}))
    with pytest.raises(ReleaseError, match=r"do not agree that they are tagged 1\.0\.0"):
        await promoted(registry.address, f"{production}/{path}")


@pytest.mark.parametrize("tag", ["2.0.0", "v2.0.0", "sha256-" + "a" * 64 + ".sig", "a b"])
async def test_a_tag_that_never_moves_is_not_set_by_another_version(
    registry: Registry, release: Maker, production: str, path: str, tag: str
) -> None:
    await push_release(registry, Tags("1.0.0"), release(extra_tags=(tag,)))
    with pytest.raises(ReleaseError, match="which is not a moving tag"):
        await promoted(registry.address, f"{production}/{path}")
    assert await found(f"{production}/{path}", "1.0.0") == {}


async def test_images_of_another_version_are_not_promoted(
    registry: Registry, release: Maker, production: str, path: str
) -> None:
    images = release(version="0.9.0", extra_tags=("1.0.0",))
    await push_release(registry, Tags("1.0.0"), images)
    with pytest.raises(ReleaseError, match=r"do not agree that they are tagged 1\.0\.0"):
        await promoted(registry.address, f"{production}/{path}")


async def test_a_tag_that_is_no_version_is_refused(registry: Registry, production: str) -> None:
    with pytest.raises(SettingsError, match="The tag 'latest' is not a version"):
        await promoted(registry.address, production, "latest")


async def test_each_side_has_its_own_no(
    registry: Registry, staged: list[Candidate], tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("guarded")
    (directory / "htpasswd").touch()
    with (
        running(directory, f"auth: {{htpasswd: {{realm: test, path: {directory}/htpasswd}}}}\n") as host,
        pytest.raises(RegistryError, match=rf"The registry {host} requires a login"),
    ):
        await promoted(registry.address, host)
