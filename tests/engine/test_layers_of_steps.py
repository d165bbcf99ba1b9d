"""What a real step of a real image saw is what umoci unpacks from the exported archive."""

import subprocess
from pathlib import Path

import dagger
import pytest
from dagger import dag

from pipeline.engine.host import GUEST
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
    truncate -s 64M sparse; touch -d @-5 before; touch -hd @5000000000 dangling; chmod 711 /
    """,
    r"""
    cd /t
    echo more >>dir/link; rm -r again gone; mkdir again; echo new >again/new; rm fifo; mkdir fifo; echo 1 >fifo/file
    rm -r dir/sub; ln -s . dir/sub; mv file moved; ln setuid setuid-again; rm null; mkfifo null; chmod 0700 dir
    perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0); unlink "before"; bind(S, sockaddr_un("before"))'
    rm -rf /usr/share/doc /media; touch -d @77 /usr/share; chmod g+s /usr/share
    """,
)


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
    made = dag.container().from_("bootstrap:auto").with_env_variable("SOURCE_DATE_EPOCH", str(EPOCH))
    for script in STEPS:
        made = made.with_exec(["sh", "-euc", script])
    return await made.sync()


async def test_umoci_unpacks_what_the_last_step_saw(stepped: dagger.Container, tmp_path: Path) -> None:
    seen = await stepped.with_exec(["sh", "-c", FIND.format(root="/")]).stdout()
    await stepped.as_tarball().export(str(tmp_path / "image.tar"))
    run("skopeo", "copy", f"oci-archive:{tmp_path / 'image.tar'}", f"oci:{tmp_path / 'layout'}:latest")
    run("umoci", "--log=error", "unpack", f"--image={tmp_path / 'layout'}:latest", tmp_path / "bundle")
    command = FIND.format(root=tmp_path / "bundle/rootfs")
    unpacked = subprocess.run(["sh", "-c", command], capture_output=True, check=True).stdout.decode(errors="replace")
    expected = entries(seen)
    assert len(expected) > 1000
    assert entries(unpacked) == expected
