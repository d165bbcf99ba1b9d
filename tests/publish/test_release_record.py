"""A release that broke off between its tags, and an engine that builds other digests from the same inputs."""

from collections.abc import Sequence
from typing import Any
from urllib.request import Request, urlopen

import pytest

from pipeline.build.settings import Settings
from pipeline.errors import ReleaseError
from pipeline.registry.manifest import IMAGE
from pipeline.registry.registry import Registry
from pipeline.release.completion import Completion, find_completion
from pipeline.release.push import Candidate, push_release
from pipeline.release.release_record import ReleaseRecord, read_record, write_record
from pipeline.release.tags import Tags
from tests.built_images import build_on
from tests.publish.conftest import Maker, Running, digests, of
from tests.publish.proxy import Proxy, answer
from tests.publish.small_release import BASE

TAGS = Tags("1.0.0", ("stable",))
INPUTS = "sha256:" + "1" * 64


@pytest.fixture
def two_builds(release: Maker) -> tuple[list[Candidate], list[Candidate]]:
    """Two builds of one release, whose files are of different moments."""
    one, other = (release(extra_tags=TAGS.extra, moment=moment) for moment in (1, 2))
    assert not set(of(one).values()) & set(of(other).values())
    return one, other


async def broken_off(behind: Registry, proxy: Proxy, images: Sequence[Candidate], at: str) -> None:
    """Publish a release that breaks off where the proxy refuses a request."""
    proxy.plan(answer(403), "PUT", at)
    with pytest.raises(Exception, match="403"):
        await push_release(behind, TAGS, images, inputs=INPUTS)
    proxy.planned.clear()


async def found(registry: Registry, inputs: str = INPUTS) -> Completion:
    """Look for a release that was begun."""
    return await find_completion(registry, TAGS, inputs, build_on(Settings(version="1.0.0"), BASE), None)


@pytest.mark.parametrize("at", ["ska-build/manifests/1.0.0$", "ska-python/manifests/1.0.0$", "ska-base/.*/stable$"])
async def test_another_engine_completes_a_release_with_the_digests_that_were_begun(
    registry: Registry, behind: Registry, proxy: Proxy, two_builds: tuple[list[Candidate], list[Candidate]], at: str
) -> None:
    begun, other = two_builds
    await broken_off(behind, proxy, begun, at)
    with pytest.raises(ReleaseError, match="a version never changes"):
        await push_release(registry, TAGS, other, inputs=INPUTS)
    completion = await found(registry)
    assert [(one.name, one.digest) for one in completion.candidates] == [(one.name, one.digest) for one in begun]
    await push_release(registry, TAGS, completion.candidates, inputs=INPUTS)
    for tag in TAGS.all:
        assert await digests(registry, tag) == of(begun)


async def test_a_record_is_there_before_the_first_tag(
    behind: Registry, proxy: Proxy, two_builds: tuple[list[Candidate], list[Candidate]]
) -> None:
    await push_release(behind, TAGS, two_builds[0], inputs=INPUTS)
    puts = [seen.rpartition("/")[2] for seen in proxy.seen if seen.startswith("PUT") and "/manifests/" in seen]
    first = of(two_builds[0])["ska-base"]
    assert puts.index(f"{first.replace(':', '-')}.release") < puts.index("1.0.0")
    assert all(put.startswith("sha256:") for put in puts[: puts.index(f"{first.replace(':', '-')}.release")])


async def test_a_record_names_every_image_and_what_they_were_built_from(
    registry: Registry, two_builds: tuple[list[Candidate], list[Candidate]]
) -> None:
    images = two_builds[0]
    await push_release(registry, TAGS, images, inputs=INPUTS)
    record = await read_record(registry.repository("ska-base"), of(images)["ska-base"])
    assert record == ReleaseRecord("1.0.0", INPUTS, of(images))


async def test_two_builds_of_a_version_have_two_records_and_the_first_tag_tells_which_counts(
    registry: Registry, two_builds: tuple[list[Candidate], list[Candidate]]
) -> None:
    theirs, ours = two_builds
    for images, tag in ((ours, "0.0.1"), (theirs, "0.0.2")):
        await push_release(registry, Tags(tag), images)
        record = ReleaseRecord("1.0.0", INPUTS, of(images))
        await write_record(registry.repository("ska-base"), images[0].digest, record)
    await push_release(registry, Tags("1.0.0"), theirs[:1])
    assert {one.name: one.digest for one in (await found(registry)).candidates} == of(theirs)


async def test_a_release_of_other_inputs_is_not_completed(
    registry: Registry, behind: Registry, proxy: Proxy, two_builds: tuple[list[Candidate], list[Candidate]]
) -> None:
    await broken_off(behind, proxy, two_builds[0], "ska-build/manifests/1.0.0$")
    assert await found(registry, "sha256:" + "2" * 64) == Completion()


async def test_a_version_without_a_tag_is_published_as_it_is_built_now(
    registry: Registry, behind: Registry, proxy: Proxy, two_builds: tuple[list[Candidate], list[Candidate]]
) -> None:
    begun, other = two_builds
    await broken_off(behind, proxy, begun, "ska-base/manifests/1.0.0$")
    assert await found(registry) == Completion()
    await push_release(registry, TAGS, other, inputs=INPUTS)
    assert await digests(registry, "1.0.0") == of(other)


async def test_another_image_is_refused_in_a_version_that_was_begun_with_the_same_first_one(
    registry: Registry, behind: Registry, proxy: Proxy, release: Maker
) -> None:
    begun = release(extra_tags=TAGS.extra)
    other = release(extra_tags=TAGS.extra, files={"ska-python": {"new": b"new"}})
    await broken_off(behind, proxy, begun, "ska-python/manifests/1.0.0$")
    with pytest.raises(ReleaseError, match=r"has 1\.0\.0 partly published with another ska-python"):
        await push_release(registry, TAGS, other, inputs="sha256:" + "2" * 64)
    assert "ska-python" not in await digests(registry, "1.0.0")


async def test_an_image_that_was_lost_is_said(
    server: Running,
    path: str,
    registry: Registry,
    behind: Registry,
    proxy: Proxy,
    two_builds: tuple[list[Candidate], list[Candidate]],
) -> None:
    begun, _ = two_builds
    await broken_off(behind, proxy, begun, "ska-build/manifests/1.0.0$")
    # As a clean-up that takes what has no tag.
    repositories = server.blobs / "docker/registry/v2/repositories" / path
    digest = of(begun)["ska-python"].partition(":")[2]
    (link,) = (repositories / "ska-python/_manifests/revisions/sha256" / digest).iterdir()
    link.unlink()
    completion = await found(registry)
    assert not completion.candidates
    assert completion.obstacle == (
        "The release cannot be completed from its record either: "
        f"{registry.address}/ska-python@sha256:{digest} is no longer in the registry."
    )


async def test_a_record_is_not_trusted(
    registry: Registry, release: Maker, two_builds: tuple[list[Candidate], list[Candidate]]
) -> None:
    images = two_builds[0]
    older = release(version="0.9.0", extra_tags=TAGS.extra)
    await push_release(registry, Tags("0.9.0"), older)
    await push_release(registry, Tags("1.0.0"), images[:1])
    forged = ReleaseRecord("1.0.0", INPUTS, {**of(images), "ska-python": of(older)["ska-python"]})
    repository = registry.repository("ska-base")
    await push_release(registry, Tags("0.0.1"), images)
    await write_record(repository, images[0].digest, forged)
    assert "is labelled as another release" in (await found(registry)).obstacle


async def test_a_record_of_strangers_is_not_trusted(
    registry: Registry, two_builds: tuple[list[Candidate], list[Candidate]]
) -> None:
    one, other = two_builds
    for images in two_builds:
        await push_release(registry, Tags(f"0.0.{two_builds.index(images)}"), images)
    await push_release(registry, Tags("1.0.0"), one[:1])
    forged = ReleaseRecord("1.0.0", INPUTS, {**of(other), "ska-base": of(one)["ska-base"]})
    await write_record(registry.repository("ska-base"), one[0].digest, forged)
    assert "is not built on ska-base@" in (await found(registry)).obstacle


async def test_a_registry_that_takes_no_record_is_published_to_all_the_same(
    behind: Registry, proxy: Proxy, release: Maker, caplog: pytest.LogCaptureFixture
) -> None:
    proxy.plan(answer(415), "PUT", r"\.release$", times=9)
    images = release()
    await push_release(behind, Tags("1.0.0"), images, inputs=INPUTS)
    assert await digests(behind, "1.0.0") == of(images)
    assert "does not accept the release's record" in caplog.text


async def test_a_version_that_somebody_else_tags_after_the_last_look_is_not_moved(
    registry: Registry, behind: Registry, proxy: Proxy, two_builds: tuple[list[Candidate], list[Candidate]]
) -> None:
    ours, theirs = two_builds
    await push_release(registry, Tags("0.0.1"), theirs)
    manifest = await registry.repository("ska-base").manifest(of(theirs)["ska-base"])
    assert manifest
    tag = f"http://{registry.address.host}/v2/{registry.repository('ska-base').path}/manifests/1.0.0"

    def meanwhile(handler: Any) -> None:
        request = Request(tag, manifest.raw, {"Content-Type": IMAGE}, method="PUT")
        urlopen(request).close()  # noqa: S310
        with handler.forward() as response:
            handler.head(response)

    proxy.plan(meanwhile, "PUT", r"\.release$")
    with pytest.raises(ReleaseError, match=r"ska-base:1\.0\.0 was published as sha256:\S+ in the meantime"):
        await push_release(behind, TAGS, ours, inputs=INPUTS)
    assert await digests(registry, "1.0.0") == {"ska-base": of(theirs)["ska-base"]}
