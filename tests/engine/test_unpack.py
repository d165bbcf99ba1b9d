"""Layers are applied as the OCI image spec says, and reach nothing outside the root."""

import os
import subprocess
import tarfile
from decimal import Decimal
from pathlib import Path

import pytest
from embedded_engine.host.errors import ArchiveInvalid
from embedded_engine.oci.unpack import apply_layer

from tests.engine.trees import CAPABILITY, entry, facts, tar

DIRECTORY = tarfile.DIRTYPE
XATTR = "SCHILY.xattr."


def lower(root: Path, *names: str) -> None:
    """Put files of a lower layer into the root."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("lower")


def names(root: Path) -> set[str]:
    """Return the paths of everything in the root."""
    return {str(path.relative_to(root)) for path in root.rglob("*")}


# Whiteouts


def test_a_whiteout_removes_the_file_below(root: Path) -> None:
    lower(root, "dir/gone", "dir/kept")
    apply_layer(tar([entry("dir/.wh.gone")]), root)
    assert names(root) == {"dir", "dir/kept"}


def test_a_whiteout_removes_the_directory_below(root: Path) -> None:
    lower(root, "dir/a/b", "kept")
    apply_layer(tar([entry(".wh.dir")]), root)
    assert names(root) == {"kept"}


def test_a_whiteout_removes_a_link_and_not_what_it_points_to(root: Path) -> None:
    lower(root, "dir/file")
    (root / "link").symlink_to("dir")
    apply_layer(tar([entry(".wh.link")]), root)
    assert names(root) == {"dir", "dir/file"}


@pytest.mark.parametrize("name", ["dir/.wh.x", "file/.wh.x", ".wh.x"])
def test_a_whiteout_of_nothing_does_nothing(root: Path, name: str) -> None:
    lower(root, "file")
    apply_layer(tar([entry(name)]), root)
    assert names(root) == {"file"}


@pytest.mark.parametrize("order", [1, -1])
def test_a_whiteout_spares_what_its_own_layer_brings(root: Path, order: int) -> None:
    lower(root, "dir/old")
    apply_layer(tar([entry("dir/new"), entry(".wh.dir")][::order]), root)
    assert names(root) == {"dir", "dir/new"}


@pytest.mark.parametrize("order", [1, -1])
def test_an_opaque_directory_hides_lower_layers_only(root: Path, order: int) -> None:
    lower(root, "dir/old", "dir/sub/old", "kept")
    apply_layer(tar([entry("dir/.wh..wh..opq"), entry("dir/sub/new"), entry("dir/n")][::order]), root)
    assert names(root) == {"dir", "dir/sub", "dir/sub/new", "dir/n", "kept"}


def test_an_opaque_root_is_emptied(root: Path) -> None:
    lower(root, "old", "dir/old")
    apply_layer(tar([entry(".wh..wh..opq"), entry("new")]), root)
    assert names(root) == {"new"}


def test_notes_of_aufs_are_no_files(root: Path) -> None:
    apply_layer(tar([entry(".wh..wh.plnk", DIRECTORY), entry(".wh..wh.aufs")]), root)
    assert names(root) == set()


@pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh...", "dir/.wh..."])
def test_a_whiteout_of_a_directory_above_is_refused(root: Path, name: str) -> None:
    lower(root, "dir/file")
    with pytest.raises(ArchiveInvalid, match="is a whiteout of no file"):
        apply_layer(tar([entry(name)]), root)
    assert names(root) == {"dir", "dir/file"}


# Replacing


def test_a_file_takes_the_place_of_a_directory(root: Path) -> None:
    lower(root, "x/a/b")
    apply_layer(tar([(entry("x"), b"upper")]), root)
    assert (root / "x").read_text() == "upper"


def test_a_directory_takes_the_place_of_a_file(root: Path) -> None:
    lower(root, "x")
    apply_layer(tar([entry("x", DIRECTORY), entry("x/a")]), root)
    assert names(root) == {"x", "x/a"}


def test_a_directory_takes_the_place_of_a_link_to_one(root: Path) -> None:
    lower(root, "dir/file")
    (root / "x").symlink_to("dir")
    apply_layer(tar([entry("x", DIRECTORY, mode=0o755), entry("x/new")]), root)
    assert names(root) == {"dir", "dir/file", "x", "x/new"}


def test_a_file_takes_the_place_of_a_link_and_leaves_its_target(root: Path) -> None:
    lower(root, "target")
    (root / "x").symlink_to("target")
    apply_layer(tar([(entry("x"), b"upper")]), root)
    assert (root / "target").read_text() == "lower"
    assert not (root / "x").is_symlink()


def test_a_directory_keeps_its_content_and_takes_mode_owner_time_and_xattrs(root: Path) -> None:
    lower(root, "dir/file")
    os.setxattr(root / "dir", "trusted.old", b"1")
    made = entry("dir", DIRECTORY, mode=0o2750, uid=5, gid=6, mtime=77, pax_headers={XATTR + "trusted.new": "2"})
    apply_layer(tar([made]), root)
    assert facts(root)[b"dir"] == (0o42750, 5, 6, 77, 0, None, {"trusted.new": b"2"})
    assert names(root) == {"dir", "dir/file"}


def test_a_replaced_hard_link_leaves_the_other_name_as_it_was(root: Path) -> None:
    lower(root, "a")
    os.link(root / "a", root / "b")
    apply_layer(tar([(entry("b"), b"upper")]), root)
    assert (root / "a").read_text() == "lower"


def test_a_file_goes_where_a_link_inside_the_root_leads(root: Path) -> None:
    lower(root, "usr/lib/x")
    (root / "lib").symlink_to("usr/lib")
    (root / "run").symlink_to("/usr")
    apply_layer(tar([entry("lib/y"), entry("run/z")]), root)
    assert {"usr/lib/y", "usr/z"} <= names(root)
    assert (root / "lib").is_symlink()


# Attributes


def test_setuid_survives_the_change_of_owner(root: Path) -> None:
    apply_layer(tar([entry("su", mode=0o4755, uid=7, gid=8)]), root)
    assert facts(root)[b"su"][:3] == (0o104755, 7, 8)


def test_capabilities_survive_the_change_of_owner(root: Path) -> None:
    value = CAPABILITY.decode("utf-8", "surrogateescape")
    apply_layer(tar([entry("ping", uid=7, pax_headers={XATTR + "security.capability": value})]), root)
    assert facts(root)[b"ping"][-1] == {"security.capability": CAPABILITY}


@pytest.mark.parametrize("key", ["trusted.overlay.redirect", "user.overlay.opaque", "security.selinux"])
def test_attributes_that_steer_the_host_are_left_out(root: Path, key: str) -> None:
    apply_layer(tar([entry("dir", DIRECTORY, mode=0o755, pax_headers={XATTR + key: "/x"})]), root)
    assert key not in os.listxattr(root / "dir")


def test_directories_have_their_times_although_files_came_later(root: Path) -> None:
    apply_layer(tar([entry("a", DIRECTORY, mtime=5), entry("a/b", DIRECTORY, mtime=6), entry("a/b/c")]), root)
    assert ((root / "a").stat().st_mtime, (root / "a/b").stat().st_mtime) == (5, 6)


@pytest.mark.parametrize("mtime", ["11029735962", "1600000000.25", "-1.5"])
def test_a_time_in_a_record_is_set_to_the_fraction(root: Path, mtime: str) -> None:
    apply_layer(tar([entry("file", pax_headers={"mtime": mtime})]), root)
    assert (root / "file").stat().st_mtime_ns == Decimal(mtime) * 10**9


def test_a_directory_that_is_only_passed_through_keeps_its_time(root: Path) -> None:
    lower(root, "dir/old")
    os.utime(root / "dir", (9, 9))
    apply_layer(tar([entry("dir/new"), entry("dir/.wh.old")]), root)
    assert (root / "dir").stat().st_mtime == 9


def test_a_directory_that_a_whiteout_spares_keeps_its_time(root: Path) -> None:
    lower(root, "a/old", "a/b/old")
    os.utime(root / "a", (9, 9))
    apply_layer(tar([entry("a/b/new"), entry(".wh.a")]), root)
    assert names(root) == {"a", "a/b", "a/b/new"}
    assert (root / "a").stat().st_mtime == 9


def test_a_parent_that_the_archive_leaves_out_is_the_same_each_time(root: Path) -> None:
    before = os.umask(0o077)
    apply_layer(tar([entry("a/b/file")]), root)
    os.umask(before)
    assert facts(root)[b"a"] == facts(root)[b"a/b"] == (0o40755, 0, 0, 0, 0, None, {})


def test_the_entry_of_the_root_itself_sets_its_mode(root: Path) -> None:
    apply_layer(tar([entry("./", DIRECTORY, mode=0o711, uid=3)]), root)
    assert (root.stat().st_mode & 0o7777, root.stat().st_uid) == (0o711, 3)


@pytest.mark.parametrize("version", ["oldgnu", "0.0", "0.1", "1.0"])
def test_holes_of_sparse_files_are_zeros_again(root: Path, tmp_path: Path, version: str) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        for offset in (1 << 20, 5 << 20):
            file.seek(offset)
            file.write(b"data" * 1000)
        file.truncate(8 << 20)
    kind = ["--format=gnu"] if version == "oldgnu" else ["--format=pax", f"--sparse-version={version}"]
    subprocess.run(
        ["tar", "--create", "--sparse", *kind, "--file=a.tar", "sparse", "outside/secret"], cwd=tmp_path, check=True
    )
    assert (tmp_path / "a.tar").stat().st_size < 1 << 20
    with (tmp_path / "a.tar").open("rb") as blob:
        apply_layer(blob, root)
    assert (root / "sparse").read_bytes() == (tmp_path / "sparse").read_bytes()
    assert (root / "sparse").stat().st_blocks * 512 < 1 << 20
    assert (root / "outside/secret").read_text() == "untouched"
