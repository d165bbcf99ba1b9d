"""The engine of an ordinary user: the same images as root's, and a clear sentence where a machine does not allow it."""

import asyncio
import contextlib
import hashlib
import io
import json
import os
import secrets
import signal
import tarfile
from dataclasses import replace
from pathlib import Path

import dagger
import pytest
from dagger import dag

from pipeline.engine.archive import write_archive
from pipeline.engine.documents import image_documents
from pipeline.engine.layer import Layer
from reproduce.comparison import compare_all
from reproduce.table import table
from tests.conftest import Built
from tests.engine.small_image import CONFIG, CREATED
from tests.engine.test_faults import SLEEP, _gone, _processes, _sessions
from tests.engine.trees import CAPABILITY, entry, tar
from tests.ordinary_user import NAME, UID, OrdinaryUser

#: Runs the rest of the words where no further user namespace may be made.
NO_MORE_NAMESPACES = """\
unshare --user sleep 60 &
holder=$!
trap 'kill $holder' EXIT
until [ "$(readlink /proc/$holder/ns/user)" != "$(readlink /proc/self/ns/user)" ]; do sleep 0.01; done
for kind in uid gid; do echo 0 0 4294967295 >/proc/$holder/${kind}_map; done
nsenter --user=/proc/$holder/ns/user --setuid=0 --setgid=0 \
    sh -euc 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"' sh "$@"
"""


def _refused(user: OrdinaryUser, *argv: str | Path) -> str:
    """Return the one line that an engine says before it ends with exit code 2."""
    done = user.engine(*argv)
    assert done.returncode == 2, done.stdout
    lines = done.stdout.splitlines()
    assert len(lines) == 1, done.stdout
    return lines[0]


def test_its_images_are_those_of_root(built: Built, built_by_user: Built) -> None:
    found = compare_all(built.dist, built_by_user.dist)
    assert not any(image.differences for image in found.values()), table(found)


def test_what_it_hands_out_belongs_to_the_user(built_by_user: Built, user: OrdinaryUser) -> None:
    owner = user.home.stat().st_uid
    assert {path.stat().st_uid for path in [built_by_user.dist, *built_by_user.dist.iterdir()]} == {owner}


def test_the_command_line_ends_with_2_where_the_user_can_mend_it(user: OrdinaryUser) -> None:
    done = user.on(subuid="").ska_images("images")
    assert done.returncode == 2
    assert done.stdout.startswith(f"Error: The user '{NAME}' has no subordinate ids ")


def test_without_subordinate_ids_there_is_the_command_that_adds_them(user: OrdinaryUser) -> None:
    assert _refused(user.on(subuid="", subgid="other:100000:65536\n")) == (
        f"Error: The user '{NAME}' has no subordinate ids in /etc/subuid and /etc/subgid, and the files of images need "
        "65535; add them with `sudo usermod --add-subuids 165536-231071 --add-subgids 165536-231071 "
        f"{NAME}`, or run as root."
    )


def test_too_few_subordinate_ids_are_counted(user: OrdinaryUser) -> None:
    assert _refused(user.on(subgid=f"{NAME}:100000:5000\n")).startswith(
        f"Error: The user '{NAME}' has 5000 subordinate ids in /etc/subgid, and the files of images need 65535; "
        "add them with `sudo usermod --add-subgids 2000065536-2000131071 "
    )


def test_without_newuidmap_its_package_is_named(user: OrdinaryUser) -> None:
    hidden = user.on("for name in newuidmap newgidmap; do mount --bind /dev/null $(command -v $name); done\n")
    assert _refused(hidden) == ("Error: This machine lacks newuidmap, newgidmap; install: apt-get install uidmap")


def test_where_user_namespaces_are_off_there_is_the_command_that_allows_them(user: OrdinaryUser) -> None:
    assert _refused(user.on(before=["sh", "-euc", NO_MORE_NAMESPACES, "sh"])) == (
        "Error: This machine does not let ordinary users make user namespaces: user.max_user_namespaces is 0; "
        "allow it with `sudo sysctl -w user.max_user_namespaces=65536`, or run as root."
    )


def test_a_switch_of_a_distribution_is_named(user: OrdinaryUser) -> None:
    # Debian's and Ubuntu's own switches are not in every kernel: here is a file of that name, and the namespaces
    # are refused by the one that every kernel has.
    switch = "mount -t tmpfs none /proc/sys/kernel; echo 1 >/proc/sys/kernel/apparmor_restrict_unprivileged_userns\n"
    assert _refused(user.on(switch, before=["sh", "-euc", NO_MORE_NAMESPACES, "sh"])) == (
        "Error: This machine does not let ordinary users make user namespaces: "
        "kernel.apparmor_restrict_unprivileged_userns is 1; allow it with "
        "`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`, or run as root."
    )


def test_another_refusal_is_said_in_the_words_of_who_was_refused(user: OrdinaryUser) -> None:
    # As in a container with allowPrivilegeEscalation: false.
    assert _refused(user.on(before=["setpriv", "--no-new-privs"])) == (
        "Error: This machine does not let the embedded engine make namespaces: newuidmap: write to uid_map failed: "
        "Operation not permitted; run it outside a container, or in a privileged one."
    )


def test_subordinate_ids_may_come_in_pieces_and_under_the_users_number(user: OrdinaryUser) -> None:
    pieces = f"{NAME}:2000000000:1000\n{UID}:2100000000:1\nother:1:1\n{NAME}:2000001000:70000\n"
    assert user.on(subuid=pieces, subgid=pieces).engine().returncode == 0


def test_the_store_of_another_user_is_refused(
    user: OrdinaryUser, user_store: Path, store: Path, engine: object
) -> None:
    assert user.engine("--store", user_store).returncode == 0
    sentence = "Error: The store {} belongs to another user, or was made with other subordinate ids; "
    assert _refused(user, "--store", store).startswith(sentence.format(store))
    as_root = replace(user, machine=None)
    assert _refused(as_root, "--store", user_store).startswith(sentence.format(user_store))


async def test_a_store_on_a_file_system_that_cannot_be_below_an_overlay_is_named(user: OrdinaryUser) -> None:
    # The root file system of a container, say.
    prepare = """\
        mkdir -p "$HOME/overlay/lower" "$HOME/overlay/upper" "$HOME/overlay/work" "$HOME/overlay/store"
        cd "$HOME/overlay"
        mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay store
        chown "$(stat -c %u "$HOME")" store
    """
    store = user.home / "overlay/store"
    async with user.on(prepare).client(store) as client:
        with pytest.raises(dagger.QueryError, match=f"cannot be mounted on {store}.* Linux is 5.11 or newer") as caught:
            await client.directory().with_new_file("f", "x").file("f").contents()
    assert caught.value.error.extensions["code"] == "NOT_PERMITTED"


async def test_file_capabilities_are_those_of_root(user: OrdinaryUser, user_store: Path, engine: object) -> None:
    # The kernel translates what a user namespace's root writes: linux/capability.h, version 3.
    archive, out = user.home / "capable.tar", user.home / "out.tar"
    _capable_image(archive)
    async with user.client(user_store) as client:
        of_user = _copied_up(client, archive)
        await of_user.export(str(out))
        assert await of_user.as_tarball().digest() == await _copied_up(dag, archive).as_tarball().digest()
    assert [_capabilities(layer) for layer in _layers(out)] == [{"ping": CAPABILITY}]


def _capable_image(archive: Path) -> None:
    file = entry("ping", mode=0o755, pax_headers={"SCHILY.xattr.security.capability": CAPABILITY.decode()})
    content = tar([(file, b"ping")]).getvalue()
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
    for path in Path("/proc").glob("[0-9]*/mountinfo"):
        with contextlib.suppress(OSError):
            found.add(path.read_text())
    return "".join(found)
