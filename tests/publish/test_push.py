"""A release in a real registry: all of it or none, under tags that are set last."""

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from pipeline.errors import ReleaseError
from pipeline.registry.registry import Registry
from pipeline.release.content import ImageContent
from pipeline.release.push import push_release
from pipeline.release.tags import Tags
from tests.built_images import OF_ONE_LINE
from tests.publish.conftest import Maker, Running, digests, of
from tests.publish.proxy import Proxy, answer

ONE = Tags("1.0.0")
WITH_EXTRA = Tags("1.0.0", ("1.0", "latest"))
NAMES = tuple(OF_ONE_LINE)


async def test_every_image_is_published_as_it_was_checked(registry: Registry, release: Maker) -> None:
    images = release()
    assert await push_release(registry, ONE, images) == frozenset(NAMES)
    assert await digests(registry, "1.0.0") == of(images)


async def test_a_manifest_is_published_byte_for_byte(registry: Registry, release: Maker) -> None:
    images = release()
    await push_release(registry, ONE, images)
    for image in images:
        async with image.content() as content:
            found = await registry.repository(image.name).manifest("1.0.0")
            assert found and found.raw == content.manifest.raw


async def test_every_blob_is_published(registry: Registry, release: Maker) -> None:
    images = release()
    await push_release(registry, ONE, images)
    for image in images:
        async with image.content() as content:
            for blob in content.manifest.blobs:
                read = await registry.repository(image.name).consume(blob, b"".join)
                assert read == b"".join(content.blobs[blob.digest])


async def test_the_same_release_again_sends_nothing(behind: Registry, proxy: Proxy, release: Maker) -> None:
    images = release()
    await push_release(behind, WITH_EXTRA, images)
    proxy.seen.clear()
    assert await push_release(behind, WITH_EXTRA, images) == frozenset()
    assert {seen.split()[0] for seen in proxy.seen} == {"GET"}


async def test_a_connection_serves_many_requests(behind: Registry, proxy: Proxy, release: Maker) -> None:
    await push_release(behind, WITH_EXTRA, release())
    assert len(proxy.connections) < len(proxy.seen) / 4


async def test_another_content_under_a_version_is_refused_with_both_digests(registry: Registry, release: Maker) -> None:
    first, second = release(), release(files={"ska-python": {"new": b"new"}})
    await push_release(registry, ONE, first)
    with pytest.raises(ReleaseError, match=f"{of(first)['ska-python']}.*{of(second)['ska-python']}"):
        await push_release(registry, ONE, second)
    assert await digests(registry, "1.0.0") == of(first)


async def test_what_is_refused_is_not_pushed(behind: Registry, proxy: Proxy, release: Maker) -> None:
    await push_release(behind, ONE, release())
    proxy.seen.clear()
    with pytest.raises(ReleaseError):
        await push_release(behind, ONE, release(files={"ska-python": {"new": b"new"}}))
    assert {seen.split()[0] for seen in proxy.seen} == {"GET"}


async def test_a_version_that_names_another_parent_is_refused(registry: Registry, release: Maker) -> None:
    first, second = release(), release(files={"ska-base": {"new": b"new"}})
    await push_release(registry, ONE, first[:1])
    with pytest.raises(ReleaseError, match=r"the parent of ska-build, ska-python"):
        await push_release(registry, ONE, second)
    assert await digests(registry, "1.0.0") == {"ska-base": of(first)["ska-base"]}


async def test_a_parent_that_somebody_else_publishes_meanwhile_stops_the_tags(
    registry: Registry, release: Maker
) -> None:
    theirs, ours = release(files={"ska-base": {"new": b"new"}}), release()

    @contextlib.asynccontextmanager
    async def meanwhile() -> AsyncIterator[ImageContent]:
        await push_release(registry, ONE, theirs[:1])
        async with ours[-1].content() as content:
            yield content

    with pytest.raises(ReleaseError, match="is published as"):
        await push_release(registry, ONE, [*ours[:-1], replace(ours[-1], content=meanwhile)])
    assert await digests(registry, "1.0.0") == {"ska-base": of(theirs)["ska-base"]}


async def test_no_tag_is_set_before_all_images_are_there(behind: Registry, proxy: Proxy, release: Maker) -> None:
    await push_release(behind, WITH_EXTRA, release())
    puts = [
        seen.rpartition("/manifests/")[2] for seen in proxy.seen if seen.startswith("PUT") and "/manifests/" in seen
    ]
    assert ["sha256" if put.startswith("sha256:") else put for put in puts] == [
        *["sha256"] * 4,
        *["1.0.0"] * 4,
        *["1.0"] * 4,
        *["latest"] * 4,
    ]


async def test_a_parent_is_tagged_before_its_children(behind: Registry, proxy: Proxy, release: Maker) -> None:
    await push_release(behind, ONE, release())
    assert [seen.split("/")[3] for seen in proxy.seen if seen.endswith("/manifests/1.0.0") and "PUT" in seen] == [
        *NAMES
    ]


async def test_what_a_parent_has_is_not_sent_for_its_children(behind: Registry, proxy: Proxy, release: Maker) -> None:
    images = release()
    await push_release(behind, ONE, images)
    sent = [seen for seen in proxy.seen if re.match("PUT .*/blobs/", seen)]
    blobs = {}
    for image in images:
        async with image.content() as content:
            blobs[image.name] = set(content.manifest.blobs)
    assert len(sent) == sum(len(blobs[image.name] - blobs.get(image.parent or "", set())) for image in images)


@pytest.mark.parametrize("tagged", range(1, 8))
async def test_what_fails_between_the_tags_is_completed_by_the_same_release(
    behind: Registry, proxy: Proxy, release: Maker, tagged: int
) -> None:
    images = release()
    tags = Tags("1.0.0", ("latest",))
    puts = [f"{name}/manifests/{tag}$" for tag in tags.all for name in NAMES]
    proxy.plan(answer(403), "PUT", puts[tagged])
    with pytest.raises(Exception, match="403"):
        await push_release(behind, tags, images)
    have = [name for tag in tags.all for name in await digests(behind, tag)]
    assert len(have) == tagged
    await push_release(behind, tags, images)
    assert await digests(behind, "1.0.0") == await digests(behind, "latest") == of(images)


async def test_extra_tags_move(registry: Registry, release: Maker) -> None:
    await push_release(registry, Tags("1.0.0", ("1",)), release())
    second = release(version="1.0.1")
    await push_release(registry, Tags("1.0.1", ("1",)), second)
    assert await digests(registry, "1") == of(second)


async def test_a_dry_run_pushes_nothing(server: Running, path: str, registry: Registry, release: Maker) -> None:
    assert await push_release(registry, ONE, release(), dry_run=True) == frozenset(NAMES)
    assert server.repositories(path) == set()


async def test_a_dry_run_tells_of_another_content_too(registry: Registry, release: Maker) -> None:
    await push_release(registry, ONE, release())
    with pytest.raises(ReleaseError, match="a version never changes"):
        await push_release(registry, ONE, release(files={"ska-base": {"new": b"new"}}), dry_run=True)
