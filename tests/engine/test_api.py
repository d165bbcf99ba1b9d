"""What is the embedded engine's own behind Dagger's API; the rules of the API are those of tests/conformance."""

from pathlib import Path

import dagger
import pytest
from dagger import dag

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def root(engine: object) -> dagger.Container:
    """A real root file system: the stand-in base of this machine."""
    return dag.container().from_("bootstrap:auto")


def _sh(container: dagger.Container, script: str, **arguments: object) -> dagger.Container:
    return container.with_exec(["sh", "-euc", script], **arguments)  # type: ignore[arg-type]


async def test_a_stand_in_says_what_it_is(root: dagger.Container) -> None:
    assert (await root.image_ref()).startswith("bootstrap:")


async def test_the_engine_reads_and_writes_no_device_that_a_step_made(root: dagger.Container) -> None:
    made = _sh(root, "mknod /null c 1 3; mknod /out c 1 3; echo out", redirect_stdout="/out")
    assert await made.file("/out").contents() == "out\n"
    with pytest.raises(dagger.QueryError):
        await made.file("/null").contents()


@pytest.mark.parametrize("name", ["snapshots", "caches", "tmp"])
async def test_other_users_reach_no_file_of_an_image(engine: object, store: Path, name: str) -> None:
    assert (store / name).stat().st_mode & 0o7777 == 0o700


async def test_a_step_may_use_the_devices_that_containers_have(root: dagger.Container) -> None:
    made = _sh(root, "mknod /null c 1 3; mknod /disk b 8 0")
    assert await _sh(made, "echo gone >/null; ! dd if=/disk count=1 2>&1").stdout() == (
        "dd: failed to open '/disk': Operation not permitted\n"
    )


async def test_a_step_has_no_open_file_of_the_engine(root: dagger.Container) -> None:
    listed = await root.with_exec(["sh", "-c", "ls -l /proc/$$/fd | sed '1d;s/.* -> //'"]).stdout()
    assert [name.partition(":")[0] for name in listed.split()] == ["pipe"] * 3


async def test_a_working_directory_with_dots_makes_no_other_directory(root: dagger.Container) -> None:
    made = _sh(root.with_workdir("/a/../b"), "touch here")
    assert await root.rootfs().diff(made.rootfs()).glob("**") == ["b/", "b/here"]


async def test_an_unknown_user_is_named(root: dagger.Container) -> None:
    with pytest.raises(dagger.QueryError, match="The user 'nobody-here' is not in the image"):
        await _sh(root.with_user("nobody-here"), "true").sync()


async def test_a_label_does_not_make_a_step_run_again(root: dagger.Container, events: list[dict[str, object]]) -> None:
    step = ["sh", "-c", "date +%N", "test: the clock"]
    first = await root.with_exec(step).stdout()
    assert await root.with_label("a", "b").with_exec(step).stdout() == first


async def test_an_archive_that_is_none_is_refused(engine: object, tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(b"not an archive")
    with pytest.raises(dagger.QueryError, match=r"'x.tar' is not an OCI or docker archive"):
        await dag.container().import_(dag.host().file(str(tmp_path / "x.tar"))).sync()


async def test_a_registry_that_does_not_answer_is_named(engine: object) -> None:
    with pytest.raises(dagger.QueryError, match=r"The registry 127.0.0.1:1 cannot be reached") as caught:
        await dag.container().from_("127.0.0.1:1/image:1").sync()
    assert caught.value.error.extensions["code"] == "REGISTRY_UNREACHABLE"


async def test_a_field_outside_the_subset_says_so(root: dagger.Container) -> None:
    with pytest.raises(dagger.QueryError, match=r"does not serve Container\.asService; run this on Dagger's engine"):
        await root.as_service().id()


async def test_an_argument_outside_the_subset_says_so(root: dagger.Container) -> None:
    with pytest.raises(dagger.QueryError, match=r"the argument 'experimentalPrivilegedNesting' of Container\.withExec"):
        await root.with_exec(["true"], experimental_privileged_nesting=True).sync()


async def test_an_exported_directory_leaves_unchanged_files_alone(engine: object, tmp_path: Path) -> None:
    tree = dag.directory().with_new_file("a/b.txt", "text")
    await tree.export(str(tmp_path))
    before = (tmp_path / "a/b.txt").stat()
    await tree.export(str(tmp_path))
    assert (tmp_path / "a/b.txt").stat().st_ino == before.st_ino
    assert (tmp_path / "a/b.txt").read_text() == "text"
