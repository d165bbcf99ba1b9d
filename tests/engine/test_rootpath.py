"""Paths of a container are resolved as the kernel does after chroot(2)."""

import ctypes
import os
import struct
from pathlib import Path

import pytest
from embedded_engine.host.errors import BadInput
from embedded_engine.host.rootpath import SymlinkLoop, missing, mkdirs, resolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a root whose merged /lib, /var/run and others lead around."""
    made = tmp_path / "root"
    (made / "usr/lib").mkdir(parents=True)
    (made / "run").mkdir()
    (made / "lib").symlink_to("usr/lib")
    (made / "var").mkdir()
    (made / "var/run").symlink_to("/run")
    (made / "out").symlink_to("../../../../etc")
    (made / "file").touch()
    (tmp_path / "etc").mkdir()
    return made


@pytest.mark.parametrize(
    ("path", "resolved"),
    [
        ("/", ""),
        ("lib/x.so", "usr/lib/x.so"),
        ("/var/run/lock", "run/lock"),
        ("/var/run/../file", "file"),
        ("../../etc/passwd", "etc/passwd"),
        ("/out/passwd", "etc/passwd"),
        ("a/missing//./path/", "a/missing/path"),
    ],
)
def test_a_path_leads_where_a_chroot_would_lead_it(root: Path, path: str, resolved: str) -> None:
    assert resolve(root, path) == root / resolved


def test_the_last_link_is_kept_when_it_is_not_followed(root: Path) -> None:
    assert resolve(root, "/var/run", follow=False) == root / "var/run"


def test_links_before_the_last_are_followed_anyway(root: Path) -> None:
    (root / "usr/lib/link").symlink_to("/file")
    assert resolve(root, "/lib/link", follow=False) == root / "usr/lib/link"


def test_a_loop_of_links_is_an_error_that_names_the_path(root: Path) -> None:
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    with pytest.raises(SymlinkLoop, match=r"^The path '/a/x' passes through more than 40 symbolic links"):
        resolve(root, "/a/x")


def test_missing_are_the_directories_behind_a_dangling_link(root: Path) -> None:
    (root / "resolv.conf").symlink_to("run/systemd/resolve/stub")
    below = root / "run/systemd"
    assert missing(root, "/resolv.conf") == [below, below / "resolve", below / "resolve/stub"]


def test_nothing_is_missing_of_what_exists(root: Path) -> None:
    assert missing(root, "/lib") == []
    assert missing(root, "/") == []


def test_made_directories_have_the_mode_and_the_owner(root: Path) -> None:
    before = os.umask(0o077)
    made = mkdirs(root, "/lib/a/b", 0o2775, 12, 34)
    os.umask(before)
    assert made == root / "usr/lib/a/b"
    for each in (made, made.parent):
        status = each.stat()
        assert (status.st_mode & 0o7777, status.st_uid, status.st_gid) == (0o2775, 12, 34)


def test_existing_directories_keep_their_mode(root: Path) -> None:
    (root / "run").chmod(0o700)
    mkdirs(root, "/run/a", 0o755, 0, 0)
    assert (root / "run").stat().st_mode & 0o7777 == 0o700


def test_no_directory_is_made_below_a_file(root: Path) -> None:
    with pytest.raises(BadInput, match=r"^'/file' is not a directory, so '/file/x' cannot be made"):
        mkdirs(root, "/file/x", 0o755, 0, 0)


NAMES = st.sampled_from(["a", "b", "c", "..", "."])
PATHS = st.builds(
    lambda slash, names: slash + "/".join(names), st.sampled_from(["", "/"]), st.lists(NAMES, min_size=1, max_size=5)
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(links=st.dictionaries(st.tuples(*[st.sampled_from("abc")] * 2), PATHS, max_size=6), path=PATHS)
def test_what_exists_is_found_where_the_kernel_finds_it(
    tmp_path_factory: pytest.TempPathFactory, links: dict[tuple[str, str], str], path: str
) -> None:
    root = tmp_path_factory.mktemp("root")
    for directory in "abc":
        (root / directory).mkdir()
    for (directory, name), target in links.items():
        (root / directory / name).symlink_to(target)
    try:
        resolved = resolve(root, path)
    except SymlinkLoop:
        resolved = None
    assert resolved is None or resolved.is_relative_to(root)
    expected = in_root(root, path)
    if expected is not None:
        assert resolved is not None
        assert expected == resolved.stat().st_ino


def in_root(root: Path, path: str) -> int | None:
    """Return the inode that the kernel finds for a path as if after chroot(2), None if there is none.

    Source: openat2(2), RESOLVE_IN_ROOT.
    """
    flags, mode, resolve_in_root, openat2 = os.O_PATH, 0, 0x10, 437
    how = struct.pack("=QQQ", flags, mode, resolve_in_root)
    directory = os.open(root, os.O_PATH)
    found: int = ctypes.CDLL(None).syscall(openat2, directory, path.encode(), how, len(how))
    os.close(directory)
    if found < 0:
        return None
    inode = os.fstat(found).st_ino
    os.close(found)
    return inode
