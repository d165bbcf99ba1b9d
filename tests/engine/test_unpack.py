"""Layers are applied as the OCI image spec says, and reach nothing outside the root."""

import contextlib
import gzip
import hashlib
import io
import os
import random
import subprocess
import tarfile
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.engine.errors import ArchiveInvalid
from pipeline.engine.unpack import apply_layer
from tests.engine.trees import CAPABILITY, entry, facts, tar

SYMLINK, HARD_LINK, DIRECTORY = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE
XATTR = "SCHILY.xattr."


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an empty root beside a file that nothing may touch."""
    made = tmp_path / "outside" / "root"
    made.mkdir(parents=True)
    (tmp_path / "outside" / "secret").write_text("untouched")
    (tmp_path / "outside" / "directory").mkdir()
    return made


def lower(root: Path, *names: str) -> None:
    """Put files of a lower layer into the root."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("lower")


def names(root: Path) -> set[str]:
    """Return the paths of everything in the root."""
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def around(root: Path) -> dict[bytes, object]:
    """Return all facts of what lies around the root."""
    return {path: fact for path, fact in facts(root.parent).items() if not path.startswith(b"root")}


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


def test_a_directory_that_is_only_passed_through_keeps_its_time(root: Path) -> None:
    lower(root, "dir/old")
    os.utime(root / "dir", (9, 9))
    apply_layer(tar([entry("dir/new"), entry("dir/.wh.old")]), root)
    assert (root / "dir").stat().st_mtime == 9


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


# What was read


def test_the_diff_id_is_the_digest_of_the_plain_tar(root: Path) -> None:
    plain = tar([(entry("file"), b"x" * 3_000_000)]).getvalue()
    half = len(plain) // 2
    blobs = [
        plain,
        gzip.compress(plain),
        gzip.compress(plain[:half]) + gzip.compress(plain[half:]),
        zstandard.compress(plain),
        zstandard.compress(plain[:half]) + zstandard.compress(plain[half:]),
    ]
    found = {apply_layer(io.BytesIO(blob), root) for blob in blobs}
    assert found == {"sha256:" + hashlib.sha256(plain).hexdigest()}


CONTENT = tar([(entry("file"), random.Random(0).randbytes(50_000)), entry("last")]).getvalue()  # noqa: S311
KINDS = {"plain": CONTENT, "gzip": gzip.compress(CONTENT), "zstd": zstandard.compress(CONTENT)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [0.0, 0.001, 0.3, 0.6, 0.99])
def test_a_truncated_archive_is_refused(root: Path, kind: str, part: float) -> None:
    blob = KINDS[kind]
    # The last blocks of a plain tar are padding, which may be missing.
    length = int((51_200 if kind == "plain" else len(blob)) * part)
    with pytest.raises(ArchiveInvalid, match=r"^The archive is damaged or no tar \(.*\); get it anew\.$"):
        apply_layer(io.BytesIO(blob[:length]), root)


def test_a_damaged_header_is_not_taken_for_the_end(root: Path) -> None:
    plain = bytearray(tar([entry("a"), entry("b"), entry("c")]).getvalue())
    plain[512 + 150] ^= 1
    with pytest.raises(ArchiveInvalid, match="has a damaged header"):
        apply_layer(io.BytesIO(plain), root)


def test_a_header_without_end_is_not_read_into_memory(root: Path) -> None:
    header = bytearray(tar([entry("././@PaxHeader", b"x")]).getvalue())
    with pytest.raises(ArchiveInvalid, match="longer than any real one"):
        apply_layer(io.BytesIO(_with_size(header, 0o77777777777)), root)


def _with_size(header: bytearray, size: int) -> bytes:
    header[124:136] = b"%011o\0" % size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header[:512])
    return bytes(header)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 2047), value=st.integers(0, 255), checksum=st.booleans())
@example(at=512 + 124, value=0xFF, checksum=True)
@example(at=124, value=0x80, checksum=True)
def test_a_changed_byte_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: int, checksum: bool
) -> None:
    base = tmp_path_factory.mktemp("changed")
    root = base / "root"
    root.mkdir()
    made = entry("dir/name", uid=3, pax_headers={XATTR + "trusted.x": "v", "mtime": "5.25"})
    blob = bytearray(tar([(made, b"content"), entry("link", SYMLINK, linkname="dir")]).getvalue())
    blob[at] = value
    header = at - at % 512
    if checksum:
        blob[header + 148 : header + 156] = b" " * 8
        blob[header + 148 : header + 156] = b"%06o\0 " % sum(blob[header : header + 512])
    with contextlib.suppress(ArchiveInvalid):
        apply_layer(io.BytesIO(blob), root)
    assert [path.name for path in base.iterdir()] == ["root"]


# Refusals

REFUSED = {
    "above": ([entry("../etc/passwd")], "'../etc/passwd' leaves the root filesystem"),
    "above, from within": ([entry("a/../../x")], "'a/../../x' leaves the root filesystem"),
    "absolute": ([entry("/etc/passwd")], "'/etc/passwd' has an absolute path"),
    "character device": ([entry("dev/null", tarfile.CHRTYPE, devmajor=1, devminor=3)], "'dev/null' is a device"),
    "block device": ([entry("dev/sda", tarfile.BLKTYPE, devmajor=8)], "'dev/sda' is a device"),
    "unknown type": ([entry("x", b"Q")], "'x' is of the unknown type"),
    "link above": ([entry("a/x", SYMLINK, linkname="../../y")], "'a/x' is a symbolic link to '../../y'"),
    "link above, from within": ([entry("x", SYMLINK, linkname="a/../../y")], "which leaves the root filesystem"),
    "link to nowhere": ([entry("x", SYMLINK)], "'x' is a symbolic link without a target"),
    "hard link above": ([entry("x", HARD_LINK, linkname="../secret")], "'x' leaves the root filesystem"),
    "hard link outside": ([entry("x", HARD_LINK, linkname="/etc/passwd")], "'x' has an absolute path"),
    "hard link to nothing": ([entry("x", HARD_LINK, linkname="y")], "which is no file of the archive"),
    "hard link to a directory": ([entry("d", DIRECTORY), entry("x", HARD_LINK, linkname="d")], "which is no file"),
    "below a file": ([entry("file"), entry("file/x")], "lies below 'file', which is not a directory"),
    "below a loop": ([entry("l", SYMLINK, linkname="l"), entry("l/x")], "more than 40 symbolic links"),
    "too long a name": ([entry("n" * 300)], "File name too long"),
    "file as root": ([entry(".")], "puts something else in the place of the root directory"),
    "hidden characters": ([entry("../a\nb")], r"'../a\\nb' leaves the root filesystem"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_root_filesystem_must_not_hold_is_refused_by_name(root: Path, case: str) -> None:
    before = around(root)
    entries, why = REFUSED[case]
    with pytest.raises(ArchiveInvalid) as refused:
        apply_layer(tar(entries), root)
    assert why.replace("\\\\", "\\") in str(refused.value)
    assert str(refused.value).startswith("The archive's entry '")
    assert str(refused.value).endswith(".")
    assert around(root) == before


ATTACKS: dict[str, list[tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]]] = {
    "a file through an absolute link": [entry("x", SYMLINK, linkname="OUTSIDE"), (entry("x/secret"), b"changed")],
    "a file over a link to one": [entry("x", SYMLINK, linkname="OUTSIDE/secret"), (entry("x"), b"changed")],
    "a whiteout through a link": [entry("x", SYMLINK, linkname="OUTSIDE"), entry("x/.wh.secret")],
    "an opaque link": [entry("x", SYMLINK, linkname="OUTSIDE"), entry("x/.wh..wh..opq")],
    "a directory's mode through a link": [
        entry("x/directory", DIRECTORY, mode=0o777, mtime=1),
        entry("x", SYMLINK, linkname="OUTSIDE"),
    ],
    "a directory's mode, once it is a link": [
        entry("x", DIRECTORY, mode=0o777, uid=9, mtime=1),
        entry("x", SYMLINK, linkname="OUTSIDE/directory"),
    ],
    "a hard link through a link": [
        entry("x", SYMLINK, linkname="OUTSIDE"),
        entry("y", HARD_LINK, linkname="x/secret"),
        (entry("y"), b"changed"),
    ],
    "a hard link to a link": [
        entry("x", SYMLINK, linkname="OUTSIDE/secret"),
        entry("y", HARD_LINK, linkname="x", mode=0o777),
        (entry("y"), b"changed"),
    ],
    "a file through a link that replaced its directory": [
        entry("x/directory/a"),
        entry("x", SYMLINK, linkname="OUTSIDE"),
        (entry("x/directory/b"), b"new"),
    ],
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_outside_the_root_is_changed(root: Path, attack: str) -> None:
    for made in ATTACKS[attack]:
        one = made[0] if isinstance(made, tuple) else made
        one.linkname = one.linkname.replace("OUTSIDE", str(root.parent))
    before = around(root)
    try:
        apply_layer(tar(ATTACKS[attack]), root)
    except ArchiveInvalid:
        assert "hard link" in attack  # its target is inside the root, and there it does not exist
    assert around(root) == before
    assert (root.parent / "secret").stat().st_nlink == 1


def test_a_link_that_was_there_before_leads_nowhere_outside(root: Path) -> None:
    (root / "x").symlink_to("../../../../../../../..")
    apply_layer(tar([(entry("x/secret"), b"inside")]), root)
    assert (root / "secret").read_text() == "inside"
    assert (root.parent / "secret").read_text() == "untouched"


def test_absolute_links_are_normal(root: Path) -> None:
    apply_layer(tar([entry("x", SYMLINK, linkname="/etc/alternatives/x")]), root)
    assert (root / "x").readlink() == Path("/etc/alternatives/x")


def test_links_within_the_root_may_go_up(root: Path) -> None:
    apply_layer(tar([entry("a/b/x", SYMLINK, linkname="../../c")]), root)
    assert (root / "a/b/x").readlink() == Path("../../c")
