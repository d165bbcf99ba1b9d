"""What a real step of a real image saw is what umoci and buildah unpack from the exported archive."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import dagger
import pytest
from dagger import dag
from embedded_engine.host.settings import GUEST

from dev.reproduce.archive import open_archive
from tests.conftest import SCRATCH
from tests.engine.restore import run

pytestmark = pytest.mark.asyncio(loop_scope="session")

EPOCH = 1_700_000_000
#: What the runtime mounts.
MOUNTED = {"dev", "etc/hosts", "etc/resolv.conf", "proc", "sys", GUEST.removeprefix("/")}
#: Path, type, mode, owner, group, seconds, links, bytes and target.
FIND = r"find {root} -xdev -printf '%P\t%y\t%m\t%U\t%G\t%Ts\t%n\t%s\t%l\n'"
STEPS = (
    r"""
    mkdir -p /t/dir/sub /t/gone /t/again && cd /t
    echo content >file; ln file dir/link; ln -s ../file dir/symlink; ln -s /nowhere dangling
    echo old >dir/sub/old; echo old >again/old; echo x >"name with $(printf '\n\351')"
    mkfifo -m 640 fifo; mknod null c 1 3; mknod -m 660 disk b 259 7
    cp /bin/true setuid; chmod 4755 setuid; chmod 1777 dir; chown 65534:3000000 file
    mkdir -m 1770 shared; echo a >shared/f; chgrp 50 shared; echo same >same
    truncate -s 64M sparse; touch -d @-5 before; touch -hd @5000000000 dangling; chmod 711 /
    """,
    r"""
    cd /t
    echo more >>dir/link; rm -r again gone; mkdir again; echo new >again/new; rm fifo; mkdir fifo; echo 1 >fifo/file
    rm -r dir/sub; ln -s . dir/sub; mv file moved; ln setuid setuid-again; rm null; mkfifo null; chmod 0700 dir
    perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0); unlink "before"; bind(S, sockaddr_un("before"))'
    rm -rf /usr/share/doc /media; touch -d @77 /usr/share; chmod g+s /usr/share
    """,
    # The directory stays as it was, and so do two files that are written anew.
    r"""
    cd /t
    echo b >>shared/f; echo same >same; chmod 0755 /bin/true; mkdir new; touch new/f
    """,
)
#: Changes nothing, but overlayfs copies all of it.
TOUCHES = "chmod 0755 /bin/true; chown 0:50 /t/shared; echo same >/t/same; touch /t/gone; rm /t/gone"


def entries(listing: str) -> dict[str, list[str]]:
    """Return what find said of each path, with times clamped and without the sizes of directories."""
    found = {}
    for line in listing.replace("\n\ufffd", "\\n").splitlines():
        path, kind, *facts = line.split("\t")
        if path in MOUNTED or kind == "s":
            continue
        facts[3] = str(min(int(facts[3]), EPOCH))
        if kind == "d":
            del facts[4:6]
        found[path] = [kind, *facts]
    return found


@pytest.fixture(scope="module")
async def stepped(engine: object) -> dagger.Container:
    """An image with layers of both steps."""
    made = dag.container().with_env_variable("SOURCE_DATE_EPOCH", str(EPOCH)).from_("bootstrap:auto")
    for script in STEPS:
        made = made.with_exec(["sh", "-euc", script])
    return await made.sync()


@pytest.fixture(scope="module")
async def archive(stepped: dagger.Container, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's archive."""
    path = tmp_path_factory.mktemp("stepped") / "image.tar"
    await stepped.as_tarball().export(str(path))
    return path


@pytest.fixture(scope="module")
async def seen(stepped: dagger.Container) -> dict[str, list[str]]:
    """What another step sees."""
    return entries(await stepped.with_exec(["sh", "-c", FIND.format(root="/")]).stdout())


def found(root: Path) -> dict[str, list[str]]:
    """Return what is in an unpacked image."""
    command = ["sh", "-c", FIND.format(root=root)]
    return entries(subprocess.run(command, capture_output=True, check=True).stdout.decode(errors="replace"))


@pytest.fixture
def mounted(archive: Path) -> Iterator[Path]:
    """The image as buildah has it: each layer unpacked by itself, and all mounted over each other."""
    storage = Path(tempfile.mkdtemp(prefix="ska-images-buildah-", dir=SCRATCH))
    flags = [f"--root={storage / 'root'}", f"--runroot={storage / 'run'}", "--storage-driver=overlay"]

    def ask(*words: str) -> str:
        done = subprocess.run(["buildah", *flags, *words], stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout.strip()

    try:
        container = ask("from", f"oci-archive:{archive}")
        yield Path(ask("mount", container))
        ask("rm", container)
    finally:
        subprocess.run(["umount", storage / "root/overlay"], capture_output=True, check=False)
        shutil.rmtree(storage)


async def test_buildah_mounts_what_the_last_step_saw(mounted: Path, seen: dict[str, list[str]]) -> None:
    assert len(seen) > 1000
    unpacked = found(mounted)
    # It gives the root directory a mode of its own: containers/storage, drivers/overlay.
    assert unpacked | {"": seen[""]} == seen


async def test_a_layer_has_nothing_that_a_step_left_as_it_was(archive: Path) -> None:
    with open_archive(archive) as image:
        *_, last = range(len(image.layers))
        names = [name for (name, _), _, _ in image.entries(last)]
    assert names == [".", "t", "t/new", "t/new/f", "t/shared", "t/shared/f"]


async def test_a_step_that_leaves_all_as_it_was_adds_no_layer(
    stepped: dagger.Container, archive: Path, tmp_path: Path
) -> None:
    await stepped.with_exec(["sh", "-euc", TOUCHES]).as_tarball().export(str(tmp_path / "image.tar"))
    with open_archive(archive) as before, open_archive(tmp_path / "image.tar") as after:
        assert after.layers == before.layers


async def test_umoci_unpacks_what_the_last_step_saw(archive: Path, seen: dict[str, list[str]], tmp_path: Path) -> None:
    run("skopeo", "copy", f"oci-archive:{archive}", f"oci:{tmp_path / 'layout'}:latest")
    run("umoci", "--log=error", "unpack", f"--image={tmp_path / 'layout'}:latest", tmp_path / "bundle")
    assert found(tmp_path / "bundle/rootfs") == seen
