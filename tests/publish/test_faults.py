"""What passes is tried again, a definite no is not; and whatever happens, no tag is set too early."""

import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import RegistryError
from pipeline.registry.access import Access
from pipeline.registry.address import parse_address
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.push import push_release
from pipeline.release.tags import Tags
from tests.publish import proxy as faults
from tests.publish.conftest import PATIENCE, Maker, digests, of
from tests.publish.proxy import Fault, Proxy, answer, silence
from tests.registry import free_address, running

ONE = Tags("1.0.0")
#: Where in a release a fault may come: each request of it that there is.
REQUESTS = {
    "look": ("GET", "/ska-base/manifests/1.0.0$"),
    "blob-look": ("HEAD", "/ska-base/blobs/sha256:"),
    "blob-start": ("POST", "/ska-base/blobs/uploads/$"),
    "blob": ("PUT", "/ska-base/blobs/uploads/"),
    "mount": ("POST", "/ska-python/blobs/uploads/.*mount="),
    "manifest": ("PUT", "/ska-python/manifests/sha256:"),
    "read-back": ("GET", "/ska-python/manifests/sha256:"),
    "tag": ("PUT", "/ska-build/manifests/1.0.0$"),
}
PASSING: dict[str, Fault] = {
    "502": answer(502),
    "503": answer(503),
    "504": answer(504),
    "429": answer(429, Retry_After="0"),
    "silence": silence(PATIENCE.answer + 0.3),
}
#: What saves sending a blob, and so has no definite no.
SHORTCUTS = ("blob-look", "mount")
DEFINITE: dict[str, Fault] = {"400": answer(400), "401": answer(401), "404": answer(404), "413": answer(413)}


@pytest.mark.parametrize(
    ("fault", "at"),
    [(answer(500), at) for at in REQUESTS] + [(fault, at) for fault in PASSING.values() for at in ("blob", "tag")],
    ids=[f"500 at {at}" for at in REQUESTS] + [f"{name} at {at}" for name in PASSING for at in ("blob", "tag")],
)
async def test_a_fault_that_passes_is_got_over(
    behind: Registry, proxy: Proxy, release: Maker, fault: Fault, at: str
) -> None:
    proxy.plan(fault, *REQUESTS[at])
    images = release()
    await push_release(behind, ONE, images)
    assert proxy.is_done
    assert await digests(behind, "1.0.0") == of(images)


async def test_a_connection_that_breaks_in_the_middle_of_a_blob_is_got_over(
    behind: Registry, proxy: Proxy, release: Maker
) -> None:
    proxy.plan(faults.reset_in_request, "PUT", "/blobs/uploads/", times=3)
    images = release(files={"ska-base": {"large": bytes(range(256)) * (8 << 10)}})
    await push_release(behind, ONE, images)
    assert proxy.is_done
    assert await digests(behind, "1.0.0") == of(images)


async def test_an_answer_that_breaks_off_is_asked_for_again(behind: Registry, proxy: Proxy, release: Maker) -> None:
    proxy.plan(faults.reset_in_answer, "GET", "/manifests/sha256:", times=2)
    images = release()
    await push_release(behind, ONE, images)
    assert proxy.is_done


async def test_a_digest_that_is_answered_with_other_content_is_asked_for_again(
    behind: Registry, proxy: Proxy, release: Maker
) -> None:
    proxy.plan(faults.other_content, "GET", "/manifests/sha256:", times=2)
    images = release()
    await push_release(behind, ONE, images)
    assert proxy.is_done


async def test_a_registry_that_always_answers_with_other_content_is_refused(
    behind: Registry, proxy: Proxy, release: Maker
) -> None:
    proxy.plan(faults.other_content, "GET", "/ska-python/manifests/sha256:", times=99)
    with pytest.raises(RegistryError, match="the content of sha256:"):
        await push_release(behind, ONE, release())
    assert await digests(behind, "1.0.0") == {}


async def test_a_blob_that_arrives_damaged_is_refused_by_the_registry(
    behind: Registry, proxy: Proxy, release: Maker
) -> None:
    proxy.plan(faults.other_request, "PUT", "/ska-python/blobs/uploads/")
    with pytest.raises(RegistryError, match="400: DIGEST_INVALID"):
        await push_release(behind, ONE, release())
    assert await digests(behind, "1.0.0") == {}


async def test_the_registry_says_how_long_to_wait(behind: Registry, proxy: Proxy, release: Maker) -> None:
    proxy.plan(answer(429, Retry_After="1"), "PUT", "/manifests/1.0.0$")
    began = time.monotonic()
    await push_release(behind, ONE, release())
    assert time.monotonic() - began >= 1


async def test_nobody_waits_longer_than_a_limit(behind: Registry, proxy: Proxy, release: Maker) -> None:
    proxy.plan(answer(429, Retry_After="86400"), "PUT", "/manifests/1.0.0$")
    began = time.monotonic()
    await push_release(behind, ONE, release())
    assert PATIENCE.longest_wait <= time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("fault", "at"),
    [(answer(403), at) for at in REQUESTS if at not in SHORTCUTS] + [(fault, "blob") for fault in DEFINITE.values()],
    ids=[f"403 at {at}" for at in REQUESTS if at not in SHORTCUTS] + [f"{name} at blob" for name in DEFINITE],
)
async def test_a_definite_no_is_not_asked_for_twice(
    behind: Registry, proxy: Proxy, release: Maker, fault: Fault, at: str
) -> None:
    proxy.plan(fault, *REQUESTS[at], times=99)
    with pytest.raises(RegistryError):
        await push_release(behind, ONE, release())
    assert proxy.planned[0].times == 98
    proxy.planned.clear()
    assert set(await digests(behind, "1.0.0")) <= ({"ska-base"} if at == "tag" else set())


@pytest.mark.parametrize("at", SHORTCUTS)
@pytest.mark.parametrize("status", [200, 202, 204, 307, 400, 401, 403, 404, 405, 416, 429, 500, 503])
async def test_a_blob_is_sent_whatever_a_shortcut_answers(
    behind: Registry, proxy: Proxy, release: Maker, at: str, status: int
) -> None:
    elsewhere = {"Location": f"http://{free_address()}/nowhere"} if status == 307 else {}
    proxy.plan(answer(status, **elsewhere), *REQUESTS[at], times=99)
    images = release()
    await push_release(behind, ONE, images)
    assert proxy.planned[0].times < 99
    assert await digests(behind, "1.0.0") == of(images)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, r"requires a login for .*/ska-base \(401\); give --username NAME and --password env://VARIABLE"),
        (403, r"does not let anonymous users do this in .*/ska-base \(403\); ask its owner for the right"),
        (413, r"does not accept a blob of this size for .*/ska-base \(413\); raise the limit of the proxy before it"),
        (500, r"cannot serve .*/ska-base now \(500\); run the same command again later"),
    ],
)
async def test_each_no_has_its_sentence(
    behind: Registry, proxy: Proxy, release: Maker, status: int, sentence: str
) -> None:
    proxy.plan(answer(status), *REQUESTS["blob"], times=99)
    with pytest.raises(RegistryError, match=sentence):
        await push_release(behind, ONE, release())


async def test_a_registry_that_nobody_serves_is_said_after_some_attempts(release: Maker) -> None:
    address = parse_address(f"{free_address()}/x")
    async with open_registry(address, Access(patience=replace(PATIENCE, attempts=2))) as registry:
        with pytest.raises(RegistryError, match=r"cannot be reached \(Connection refused\); check its name"):
            await push_release(registry, ONE, release())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


async def test_a_registry_without_space_gets_no_tag_and_all_when_there_is_some(
    small_disk: Path, tmp_path: Path, release: Maker
) -> None:
    # In the first image: where others are pushed beside it the registry itself may be left with half a file.
    images = release(files={"ska-base": {"large": os.urandom(2 << 20)}})
    with running(tmp_path, blobs=small_disk) as host:
        async with open_registry(parse_address(f"{host}/x"), Access(patience=PATIENCE)) as registry:
            with pytest.raises(RegistryError, match=r"\(50\d"):
                await push_release(registry, ONE, images)
            assert await digests(registry, "1.0.0") == {}
            subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
            await push_release(registry, ONE, images)
            assert await digests(registry, "1.0.0") == of(images)
