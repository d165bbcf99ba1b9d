"""What makes no sense is refused in one sentence that names it, and is no defect of the engine."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import dagger
import pytest
from dagger import dag
from embedded_engine.host.beneath import remove_tree

LONG, DEEP = "x" * 256, "a/" * 2100


def _tree() -> dagger.Directory:
    return dag.directory().with_new_file("f", "x").with_new_directory("e")


def _base() -> dagger.Container:
    return dag.container().from_("bootstrap:auto")


def _run(container: dagger.Container, **arguments: Any) -> Awaitable[object]:
    return container.with_exec(["true"], **arguments).sync()


def _mounted(**arguments: Any) -> dagger.Container:
    return _base().with_mounted_directory("/m", _tree(), **arguments)


def _made(command: str) -> dagger.Directory:
    return _base().with_exec(["sh", "-c", f"mkdir /d && {command}"]).directory("/d")


CASES: dict[str, tuple[Callable[[], Awaitable[object]], str]] = {
    "a name that is too long": (lambda: _tree().file(LONG).contents(), "is too long"),
    "a path that is too long": (lambda: _base().with_mounted_temp(DEEP).sync(), "is too long"),
    "a NUL in a name": (lambda: _tree().with_new_file("a\0b", "").sync(), "The argument 'path' holds a NUL"),
    "a NUL in a list": (lambda: _tree().without_files(["a\0b"]).sync(), "The argument 'paths' holds a NUL"),
    "a file that is a directory": (lambda: _tree().file("e").contents(), "'/e' is a directory"),
    "a directory that is a file": (lambda: _tree().directory("f").entries(), "'/f' is not a directory"),
    "a file below a file": (lambda: _tree().with_new_file("f/x", "").sync(), "'/f' is not a directory"),
    "a link in another's place": (lambda: _tree().with_symlink("t", "f").sync(), "File exists"),
    "a comparison with nothing": (
        lambda: _tree().diff(_tree().directory("n")).entries(),
        "no directory '/n' to compare",
    ),
    "a link to nothing": (lambda: _tree().with_symlink("", "n").sync(), "has no target"),
    "a mounted file that is none": (lambda: _run(_base().with_mounted_file("/m", _tree().file("n"))), "no file '/n'"),
    "a mounted file that is a directory": (
        lambda: _run(_base().with_mounted_file("/m", _tree().file("e"))),
        "There is no file '/e' to mount on /m",
    ),
    "a mount over the kernel's files": (lambda: _base().with_mounted_temp("/proc/x").sync(), "is the kernel's"),
    "a memory without size": (lambda: _base().with_mounted_temp("/t", size=0).sync(), "0 is not a size"),
    "output to a directory": (lambda: _run(_base(), redirect_stdout="/etc"), "cannot go to '/etc'"),
    "output to nowhere": (lambda: _run(_base(), redirect_stderr="/n/n"), "cannot go to '/n/n'"),
    "output to memory": (lambda: _run(_base().with_mounted_temp("/t"), redirect_stdout="/t/o"), "'/t/o' is in memory"),
    "output to what is read-only": (
        lambda: _run(_mounted(read_only=True), redirect_stdout="/m/o"),
        "'/m/o' is read-only",
    ),
    "a user whose number is too high": (lambda: _run(_base().with_user("4294967295")), "is not the number of a user"),
    "a variable without a name": (
        lambda: dag.container().with_env_variable("", "x").sync(),
        "is not the name of a variable",
    ),
    "a port that is none": (lambda: dag.container().with_exposed_port(65536).sync(), "65536 is not a port"),
    "a platform that is none": (lambda: dag.container(platform=dagger.Platform("x")).sync(), "is not a platform"),
    "a secret from nowhere": (lambda: dag.secret("hunter2").plaintext(), r'^The secret "hun\.\.\." names no place'),
    "a secret without an end": (lambda: dag.secret("file:///dev/zero").plaintext(), "more than 1048576 bytes"),
    "an archive that is not there": (lambda: dag.container().import_(_tree().file("n")).sync(), "There is no '/n'"),
    "an image of nothing": (
        lambda: dag.container().as_tarball(platform_variants=[dag.container()]).size(),
        "All containers are empty",
    ),
    "an export onto a file": (lambda: _tree().export("/etc/passwd"), "not possible for '/etc/passwd': File exists"),
    "a pattern whose range ends before it begins": (
        lambda: _tree().filter(exclude=["[z-a]"]).entries(),
        r"'\[z-a\]' cannot be read \(bad character range z-a\)",
    ),
    "a .gitignore without end": (
        lambda: _made("truncate -s 1500000000 /d/.gitignore").filter(gitignore=True).entries(),
        "'.gitignore' has more than 1048576 bytes",
    ),
    "a pipe as a file": (lambda: _made("mkfifo /d/p").file("p").contents(), "'/d/p' is not a regular file"),
    "the export of a pipe": (lambda: _made("mkfifo /d/p").file("p").export("p"), "'/d/p' is not a regular file"),
    "a user whose number is no digit": (lambda: _run(_base().with_user("²")), "'²' is not the number of a user"),
    "users without end": (
        lambda: _run(_base().with_exec(["truncate", "-s", "1500000000", "/etc/passwd"]).with_user("x")),
        "'/etc/passwd' has more than 16777216 bytes",
    ),
    "a pattern that is not closed": (lambda: _tree().filter(exclude=["[a"]).entries(), "that is not closed"),
}


@pytest.mark.parametrize("name", CASES)
async def test_it_is_named(engine: object, name: str) -> None:
    ask, words = CASES[name]
    with pytest.raises(dagger.QueryError, match=words) as caught:
        await ask()
    assert caught.value.error.extensions["code"] == "BAD_INPUT"


async def test_a_line_of_gitignore_that_means_nothing_is_passed_over(engine: object) -> None:
    tree = _tree().with_new_file(".gitignore", "!\nf\n")
    assert await tree.filter(gitignore=True).entries() == [".gitignore", "e/"]


@pytest.mark.parametrize("epoch", ["²", "9" * 5000, "253402300800"])
async def test_a_date_that_nobody_can_write_is_no_date(engine: object, epoch: str) -> None:
    made = dag.container().with_env_variable("SOURCE_DATE_EPOCH", epoch).with_new_file("/f", "x")
    assert await made.as_tarball().size() > 0


async def test_a_deep_tree_is_described_copied_and_exported(engine: object, tmp_path: Path) -> None:
    deep = _made(f"mkdir -p /d/{'d/' * 1500}")
    assert (await deep.digest()).startswith("sha256:")
    assert await dag.directory().with_directory("/", deep).exists("d/" * 1500)
    await deep.export(str(tmp_path))
    assert (tmp_path / ("d/" * 1500)).is_dir()
    remove_tree(tmp_path / "d")


async def test_contents_may_hold_what_names_may_not(engine: object) -> None:
    assert await dag.directory().with_new_file("f", "a\0b").file("f").contents() == "a\0b"


async def test_all_of_the_root_directory_can_be_taken_away(engine: object) -> None:
    assert await _tree().without_directory("/").entries() == []
