"""The engine of an ordinary user: root's images, and nothing left behind."""

import asyncio
import contextlib
import hashlib
import io
import json
import os
import secrets
import signal
import tarfile
from pathlib import Path

import dagger
import pytest
from dagger import dag
from embedded_engine.oci.archive import write_archive
from embedded_engine.oci.documents import image_documents
from embedded_engine.oci.layer import Layer

from dev.reproduce.comparison import compare_all
from dev.reproduce.table import table
from tests.conftest import Built
from tests.engine.small_image import CONFIG, CREATED
from tests.engine.test_faults import SLEEP, _gone, _processes, _sessions
from tests.engine.trees import CAPABILITY, entry, tar
from tests.ordinary_user import NAME, UID, OrdinaryUser


def test_its_images_are_those_of_root(built: Built, built_by_user: Built) -> None:
    found = compare_all(built.dist, built_by_user.dist)
    assert not any(image.differences for image in found.values()), table(found)


def test_what_it_hands_out_belongs_to_the_user(built_by_user: Built, user: OrdinaryUser) -> None:
    owner = user.home.stat().st_uid
    assert {path.stat().st_uid for path in [built_by_user.dist, *built_by_user.dist.iterdir()]} == {owner}


def test_subordinate_ids_may_come_in_pieces_and_under_the_users_number(user: OrdinaryUser) -> None:
    pieces = f"{NAME}:2000000000:1000\n{UID}:2100000000:1\nother:1:1\n{NAME}:2000001000:70000\n"
    # In a store of its own: one belongs to the ids that it was made with.
    assert user.on(subuid=pieces, subgid=pieces).engine("--store", user.directory()).returncode == 0


async def test_a_file_that_the_user_may_not_read_or_write_is_named(user: OrdinaryUser, user_store: Path) -> None:
    async with user.client(user_store) as client:
        with pytest.raises(dagger.QueryError, match="'/etc/shadow' is not for this user: Permission denied") as caught:
            await client.host().file("/etc/shadow").size()
        assert caught.value.error.extensions["code"] == "NOT_PERMITTED"
        with pytest.raises(dagger.QueryError, match="'/etc/ska-images' is not for this user: Permission denied"):
            await client.directory().with_new_file("f", "x").export("/etc/ska-images")


async def test_an_id_that_the_user_has_not_is_named(user: OrdinaryUser, user_store: Path) -> None:
    content = tar([(entry("f", uid=70000, gid=65535), b"x")]).getvalue()
    async with user.client(user_store) as client:
        with pytest.raises(dagger.QueryError, match=r"The user 70000:0 is none that .* give ids up to 65535"):
            await client.container().with_new_file("/f", "x", owner="70000").sync()
        _image(user.home / "foreign.tar", content)
        with pytest.raises(dagger.QueryError, match="'f' belongs to 70000:65535, which only root can give"):
            await client.container().import_(client.host().file(str(user.home / "foreign.tar"))).sync()


async def test_file_capabilities_are_those_of_root(user: OrdinaryUser, user_store: Path, engine: object) -> None:
    # The kernel translates what a user namespace's root writes: linux/capability.h, version 3.
    archive, out = user.home / "capable.tar", user.home / "out.tar"
    file = entry("ping", mode=0o755, pax_headers={"SCHILY.xattr.security.capability": CAPABILITY.decode()})
    _image(archive, tar([(file, b"ping")]).getvalue())
    async with user.client(user_store) as client:
        of_user = _copied_up(client, archive)
        await of_user.export(str(out))
        assert await of_user.as_tarball().digest() == await _copied_up(dag, archive).as_tarball().digest()
    assert [_capabilities(layer) for layer in _layers(out)] == [{"ping": CAPABILITY}]


def _image(archive: Path, content: bytes) -> None:
    """Write an archive of an image with one layer, an uncompressed tar."""
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    layer = Layer(digest, digest, len(content), "application/vnd.oci.image.layer.v1.tar", len(content))
    blob = archive.with_suffix(".layer")
    blob.write_bytes(content)
    documents = image_documents(CONFIG, [layer], created=CREATED, history=["base"], annotations={})
    write_archive(archive, [documents], {digest: blob})


def _copied_up(client: dagger.Client, archive: Path) -> dagger.Container:
    """Return the image with its files unpacked, copied, changed in an overlay, and copied to a layer."""
    unpacked = client.container().import_(client.host().file(str(archive))).rootfs()
    return client.container().with_rootfs(client.directory().with_directory("/", unpacked).with_timestamps(1))


def _layers(archive: Path) -> list[tarfile.TarFile]:
    with tarfile.open(archive) as layout:

        def read(digest: str) -> bytes:
            member = layout.extractfile(f"blobs/sha256/{digest.removeprefix('sha256:')}")
            assert member
            return member.read()

        index = layout.extractfile("index.json")
        assert index
        manifest = json.loads(read(json.load(index)["manifests"][0]["digest"]))
        return [tarfile.open(fileobj=io.BytesIO(read(layer["digest"]))) for layer in manifest["layers"]]


def _capabilities(layer: tarfile.TarFile) -> dict[str, bytes]:
    return {
        member.name: member.pax_headers["SCHILY.xattr.security.capability"].encode("utf-8", "surrogateescape")
        for member in layer
        if member.isreg()
    }


async def test_killed_it_leaves_nothing_that_runs_and_no_file(user: OrdinaryUser, user_store: Path) -> None:
    word = f"marker-{secrets.token_hex(4)}"
    others = _sessions(user_store)
    with contextlib.suppress(dagger.DaggerError, asyncio.CancelledError):
        async with user.client(user_store) as client:
            root = client.container().from_("bootstrap:auto")
            # What root may remove and the user may not: files of others in a directory of theirs.
            root = root.with_exec(["sh", "-c", "mkdir -m 700 /d; touch /d/f; chown -R 33:33 /d"])
            step = asyncio.ensure_future(root.with_exec([*SLEEP, word]).sync())
            while not _processes(word):
                assert not step.done(), step.exception()
                await asyncio.sleep(0.05)
            killed = _sessions(user_store) - others
            for process in _processes(f"--store={user_store}"):
                os.kill(process, signal.SIGKILL)
            step.cancel()
    await _gone(word)
    assert killed & _sessions(user_store)
    assert user.engine("--store", user_store).returncode == 0
    assert not killed & _sessions(user_store)
    assert str(user_store) not in _mounts()


def _mounts() -> str:
    """Return the mounts of every process."""
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found.add((path / "mountinfo").read_text())
    return "".join(found)
