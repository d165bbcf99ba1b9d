"""Dagger's API on the embedded engine, through the unmodified SDK, on real containers."""

from pathlib import Path

import dagger
import pytest
from dagger import CacheSharingMode, ReturnType, dag

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def root(engine: object) -> dagger.Container:
    """A real root file system: the stand-in base of this machine."""
    return dag.container().from_("bootstrap:auto")


def _sh(container: dagger.Container, script: str, **arguments: object) -> dagger.Container:
    return container.with_exec(["sh", "-euc", script], **arguments)  # type: ignore[arg-type]


async def test_a_stand_in_says_what_it_is(root: dagger.Container) -> None:
    assert (await root.image_ref()).startswith("bootstrap:")


async def test_an_exec_sees_what_the_one_before_it_wrote(root: dagger.Container) -> None:
    assert await _sh(_sh(root, "echo one >/f"), "cat /f").stdout() == "one\n"


async def test_an_exec_does_not_change_what_it_started_from(root: dagger.Container) -> None:
    await _sh(root, "rm -r /srv; touch /new").sync()
    assert await _sh(root, "test -d /srv; test ! -e /new; echo same").stdout() == "same\n"


async def test_output_goes_to_the_stream_that_it_was_written_to(root: dagger.Container) -> None:
    made = _sh(root, "echo out; echo err >&2")
    assert (await made.stdout(), await made.stderr()) == ("out\n", "err\n")


async def test_a_failing_exec_is_daggers_exec_error(root: dagger.Container) -> None:
    with pytest.raises(dagger.ExecError) as caught:
        await _sh(root, "echo seen; echo bad >&2; exit 3").sync()
    error = caught.value
    assert (error.exit_code, error.stdout, error.stderr) == (3, "seen", "bad")
    assert error.command[:2] == ["sh", "-euc"]


async def test_an_error_keeps_the_end_of_a_long_output(root: dagger.Container) -> None:
    with pytest.raises(dagger.ExecError) as caught:
        await _sh(root, "seq 100000; exit 1").sync()
    assert caught.value.stdout.startswith("[omitting 486495 bytes]...")
    assert caught.value.stdout.endswith("\n100000")


async def test_redirected_output_is_a_file_and_still_captured(root: dagger.Container) -> None:
    made = _sh(root, "echo out", redirect_stdout="/out")
    assert (await made.stdout(), await made.file("/out").contents()) == ("out\n", "out\n")


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


async def test_a_command_that_does_not_exist_has_exit_code_127(root: dagger.Container) -> None:
    with pytest.raises(dagger.ExecError) as caught:
        await root.with_exec(["no-such-program"]).sync()
    assert caught.value.exit_code == 127


async def test_expect_any_keeps_the_exit_code(root: dagger.Container) -> None:
    assert await _sh(root, "exit 7", expect=ReturnType.ANY).exit_code() == 7


async def test_expect_failure_refuses_success(root: dagger.Container) -> None:
    with pytest.raises(dagger.ExecError):
        await _sh(root, "true", expect=ReturnType.FAILURE).sync()


async def test_the_exit_code_of_a_signal_is_an_error_whatever_is_expected(root: dagger.Container) -> None:
    with pytest.raises(dagger.ExecError):
        await _sh(root, "exit 137", expect=ReturnType.ANY).sync()


async def test_standard_input_is_what_was_given(root: dagger.Container) -> None:
    assert await root.with_exec(["cat"], stdin='x\n"y"').stdout() == 'x\n"y"'


async def test_variables_user_and_working_directory_reach_the_exec(root: dagger.Container) -> None:
    made = root.with_env_variable("A", "b=c").with_user("nobody").with_workdir("/new/dir")
    assert await _sh(made, 'echo "$A $(id -un) $(pwd)"').stdout() == "b=c nobody /new/dir\n"


async def test_an_unknown_user_is_named(root: dagger.Container) -> None:
    with pytest.raises(dagger.QueryError, match="The user 'nobody-here' is not in the image"):
        await _sh(root.with_user("nobody-here"), "true").sync()


async def test_a_step_has_dockers_default_capabilities_and_no_more(root: dagger.Container) -> None:
    # The mask that `docker run` gives: moby oci/caps/defaults.go.
    assert await _sh(root, "sed -n 's/^CapBnd:[[:space:]]*//p' /proc/self/status").stdout() == "00000000a80425fb\n"


async def test_an_exec_leaves_no_trace_of_mounts_and_host_settings(root: dagger.Container) -> None:
    before = set(await root.directory("/").entries()) | set(await root.directory("/run").entries())
    made = _sh(root.with_mounted_temp("/scratch/dir").with_mounted_cache("/c", dag.cache_volume("t")), "echo >/c/f")
    after = set(await made.directory("/").entries()) | set(await made.directory("/run").entries())
    assert after == before
    assert not await made.exists("/etc/resolv.conf")


async def test_a_cache_volume_outlives_the_exec(root: dagger.Container) -> None:
    mounted = root.with_mounted_cache("/c", dag.cache_volume("kept"), sharing=CacheSharingMode.LOCKED)
    await _sh(mounted, "echo kept >/c/f").sync()
    assert await _sh(mounted, "cat /c/f; : again").stdout() == "kept\n"


async def test_a_secret_is_read_by_the_exec_and_hidden_from_its_output(root: dagger.Container) -> None:
    secret = dag.set_secret("token", "s3cr3t-value")
    made = root.with_mounted_secret("/run/secret", secret).with_secret_variable("TOKEN", secret)
    made = _sh(made, 'test "$(cat /run/secret)" = "$TOKEN"; stat -c %a /run/secret; echo "$TOKEN"')
    assert await made.stdout() == "400\n***\n"
    assert not await made.exists("/run/secret")


async def test_files_and_directories_are_copied_with_their_modes(root: dagger.Container) -> None:
    tree = dag.directory().with_new_file("bin/tool", "#!/bin/sh\necho ran\n", permissions=0o755)
    made = root.with_directory("/opt", tree, owner="nobody")
    assert await _sh(made, "/opt/bin/tool; stat -c %U /opt/bin/tool").stdout() == "ran\nnobody\n"


async def test_a_new_file_goes_where_the_link_leads_inside_the_container(root: dagger.Container) -> None:
    made = _sh(root, "ln -s /srv /outside").with_new_file("/outside/f", "text")
    assert await made.file("/srv/f").contents() == "text"


async def test_a_mounted_directory_is_not_part_of_the_layer(root: dagger.Container) -> None:
    tree = dag.directory().with_new_file("f", "text")
    made = _sh(root.with_mounted_directory("/m", tree), "cat /m/f; echo more >/m/g")
    assert await made.stdout() == "text"
    assert not await made.without_mount("/m").exists("/m")


async def test_a_label_does_not_make_a_step_run_again(root: dagger.Container, events: list[dict[str, object]]) -> None:
    step = ["sh", "-c", "date +%N", "test: the clock"]
    first = await root.with_exec(step).stdout()
    assert await root.with_label("a", "b").with_exec(step).stdout() == first


async def test_another_variable_makes_a_step_run_again(root: dagger.Container) -> None:
    first = await root.with_exec(["date", "+%N"]).stdout()
    assert await root.with_env_variable("DAY", "2").with_exec(["date", "+%N"]).stdout() != first


async def test_labels_and_variables_can_be_listed(root: dagger.Container) -> None:
    made = root.with_label("k", "v").with_env_variable("A", "1").without_env_variable("A")
    assert {await label.name(): await label.value() for label in await made.labels()} == {"k": "v"}
    assert await made.env_variables() == []


async def test_times_in_a_layer_are_not_later_than_source_date_epoch(root: dagger.Container, tmp_path: Path) -> None:
    made = root.with_env_variable("SOURCE_DATE_EPOCH", "1000000000").with_new_file("/f", "x")
    made = made.without_env_variable("SOURCE_DATE_EPOCH")
    first, second = tmp_path / "1.tar", tmp_path / "2.tar"
    await made.export(str(first))
    await made.with_label("a", "b").export(str(second))
    again = dag.container().import_(dag.host().file(str(first)))
    assert await _sh(again, "stat -c %Y /f").stdout() == "1000000000\n"


async def test_an_archive_that_is_none_is_refused(engine: object, tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(b"not an archive")
    with pytest.raises(dagger.QueryError, match=r"'x.tar' is no OCI or docker archive"):
        await dag.container().import_(dag.host().file(str(tmp_path / "x.tar"))).sync()


async def test_a_reference_that_is_none_is_refused(engine: object) -> None:
    with pytest.raises(dagger.QueryError, match="is no image reference"):
        await dag.container().from_("Not A Reference").sync()


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
