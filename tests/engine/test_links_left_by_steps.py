"""Links that a step leaves lead the engine nowhere outside the step's files."""

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path

import dagger
import pytest
from dagger import dag
from embedded_engine.host.beneath import pinned, read_small, regular_file, remove_tree
from embedded_engine.host.errors import BadInput
from embedded_engine.make.copying import copy_tree
from embedded_engine.make.mounts import MountTable

from tests.engine.trees import facts


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """Return a directory of the host with one of each that a mount point may be: a file, a directory and a device."""
    made = tmp_path / "host"
    (made / "directory").mkdir(parents=True)
    (made / "file").touch()
    os.mknod(made / "device", 0o020666, os.makedev(1, 3))
    return made


def _temp(container: dagger.Container, path: str) -> dagger.Container:
    return container.with_mounted_temp(path)


def _file(container: dagger.Container, path: str) -> dagger.Container:
    return container.with_mounted_file(path, dag.file("f", "x"))


@pytest.mark.parametrize(("name", "mount"), [("file", _file), ("device", _file), ("directory", _temp)])
async def test_a_step_that_swaps_the_parent_of_a_mount_point_takes_nothing_from_the_host(
    engine: object, host: Path, name: str, mount: Callable[[dagger.Container, str], dagger.Container]
) -> None:
    before = facts(host)
    swap = f"mv /mnt/tools /mnt/moved && ln -s {host} /mnt/tools"
    await mount(dag.container().from_("bootstrap:auto"), f"/mnt/tools/{name}").with_exec(["sh", "-c", swap]).sync()
    assert facts(host) == before


async def test_a_step_that_swaps_a_directory_above_a_mount_point_takes_nothing_from_the_host(
    engine: object, host: Path
) -> None:
    before = facts(host)
    base = dag.container().from_("bootstrap:auto").with_new_file("/mnt/tools/directory/kept", "")
    swap = f"umount /mnt/tools/directory/t && rm -r /mnt/tools && ln -s {host} /mnt/tools"
    step = base.with_mounted_temp("/mnt/tools/directory/t").with_exec(
        ["sh", "-c", swap], insecure_root_capabilities=True
    )
    await step.sync()
    assert facts(host) == before


async def test_nothing_that_a_step_started_runs_when_the_engine_looks_at_its_files(engine: object) -> None:
    seconds = "86421.975"
    script = f"setsid sleep {seconds} & echo started"
    step = dag.container().from_("bootstrap:auto").with_exec(["sh", "-c", script])
    assert await step.stdout() == "started\n"
    commands = [_command(process) for process in Path("/proc").iterdir() if process.name.isdecimal()]
    assert [command for command in commands if seconds.encode() in command] == []


def _command(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:  # it has ended
        return b""


async def test_output_goes_where_the_step_put_a_link_inside_its_own_files(engine: object, host: Path) -> None:
    link = f"mkdir -p {host} /mnt && ln -s {host}/file /mnt/output && echo said"
    step = dag.container().from_("bootstrap:auto").with_exec(["sh", "-c", link], redirect_stdout="/mnt/output")
    assert await step.file(f"{host}/file").contents() == "said\n"
    assert (host / "file").read_text() == ""


async def test_a_comparison_reads_nothing_behind_a_link(engine: object, host: Path) -> None:
    (host / "file").write_text("content")
    lower = dag.directory().with_symlink(str(host), "d")
    upper = dag.directory().with_new_file("d/file", "content")
    assert await lower.diff(upper).exists("d/file")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a container's root with a link to a directory of the host, beside which a secret lies."""
    made = tmp_path / "root"
    (made / "etc").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (made / "etc/passwd").symlink_to("../../../../../../secret")
    (made / "secret").write_text("the container's own")
    return made


def test_a_pinned_directory_stays_the_same_when_a_link_takes_its_place(root: Path, host: Path) -> None:
    with pinned(root, "etc") as directory:
        (root / "etc").rename(root / "moved")
        (root / "etc").symlink_to(host)
        (directory / "new").touch()
    assert (root / "moved/new").exists()
    assert not (host / "new").exists()
    with pytest.raises(OSError, match="symbolic links"), pinned(root, "etc"):
        pass


def test_an_error_in_a_pinned_directory_has_the_name_that_the_user_knows(root: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, pinned(root, "etc") as directory, pinned(directory) as again:
        (again / "no").rename(again / "other")
    assert (caught.value.filename, caught.value.filename2) == (f"{root}/etc/no", f"{root}/etc/other")


def test_output_stays_inside_when_a_link_takes_the_place_of_its_directory(root: Path, host: Path) -> None:
    with MountTable(root).for_output("/etc/output") as target:
        (root / "etc").rename(root / "moved")
        (root / "etc").symlink_to(host)
        target.touch()
    assert (root / "moved/output").exists()
    assert not (host / "output").exists()


def test_a_file_is_read_inside_the_root_only(root: Path) -> None:
    assert read_small(root, "/etc/passwd", 100) == b"the container's own"


@pytest.mark.parametrize("kind", ["pipe", "device", "directory", "nothing", "descriptor"])
def test_what_is_no_regular_file_is_not_opened(root: Path, kind: str) -> None:
    os.mkfifo(root / "pipe")
    os.mknod(root / "device", 0o020666, os.makedev(1, 5))
    (root / "directory").mkdir()
    (root / "descriptor").symlink_to("/proc/self/fd/0")
    with regular_file(root, f"/{kind}") as found:
        assert found is None
    assert read_small(root, f"/{kind}", 100) == b""


def test_a_file_that_is_longer_than_it_may_be_is_not_read(root: Path) -> None:
    os.truncate(root / "secret", 1 << 40)
    with pytest.raises(BadInput, match="'/secret' has more than 100 bytes; make it smaller"):
        read_small(root, "/secret", 100)


@pytest.mark.slow
def test_a_deep_tree_is_removed(tmp_path: Path) -> None:
    for depth in range(1, 1900):
        Path(tmp_path, *["d"] * depth).mkdir()
    remove_tree(tmp_path / "d")
    assert list(tmp_path.iterdir()) == []


async def test_a_directory_that_changes_while_it_is_filled_leads_nowhere_outside(tmp_path: Path, host: Path) -> None:
    source, target, aside = tmp_path / "source", tmp_path / "target", tmp_path / "aside"
    for number in range(40):
        (source / f"directory/{number}").mkdir(parents=True)
        (source / f"directory/{number}/file").touch()
    (target / "directory").mkdir(parents=True)
    before = facts(host)
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            try:
                (target / "directory").rename(aside)
                (target / "directory").symlink_to(host)
                (target / "directory").unlink()
                aside.rename(target / "directory")
            except OSError:  # the copying made a directory there
                if (target / "directory").is_dir() and aside.exists():
                    remove_tree(aside)

    swapping = asyncio.ensure_future(asyncio.to_thread(swap))
    for _ in range(30):
        try:
            await asyncio.to_thread(copy_tree, source, target)
        except OSError:  # what it was writing to is gone
            continue
    done.set()
    await swapping
    assert facts(host) == before
