"""Layers are what the OCI image spec says of an overlay's upper directory, and the same each time."""

import gzip
import hashlib
import io
import os
import socket
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from pipeline.engine.below import Below
from pipeline.engine.blob import Compression
from pipeline.engine.errors import BadInput, EngineError
from pipeline.engine.layer import write_layer
from pipeline.engine.tarheader import Entry
from tests.engine.trees import CAPABILITY, make_tree

EPOCH = 1_700_000_000


@pytest.fixture
def upper(tmp_path: Path) -> Path:
    """Return an empty upper directory."""
    made = tmp_path / "upper"
    made.mkdir()
    return made


@pytest.fixture
def lower(tmp_path: Path) -> Path:
    """Return an empty directory of a layer below."""
    made = tmp_path / "lower"
    made.mkdir()
    return made


def packed(upper: Path, *lower: Path, epoch: int | None = EPOCH) -> tarfile.TarFile:
    """Return the layer of a directory over others, the lowest first, opened."""
    out = upper.parent / "layer"
    write_layer(upper, out, below=[Below(one, epoch) for one in lower], epoch=epoch)
    return tarfile.open(fileobj=io.BytesIO(out.read_bytes()))


def names(upper: Path, *lower: Path) -> list[str]:
    """Return the names in the layer of a directory, without the root's."""
    return packed(upper, *lower).getnames()[1:]


def make_whiteout(path: Path) -> None:
    """Make overlayfs's mark of a deletion."""
    os.mknod(path, 0o020000, os.makedev(0, 0))


def make_opaque(path: Path) -> None:
    """Make a directory that hides what is below it."""
    path.mkdir(exist_ok=True)
    os.setxattr(path, "trusted.overlay.opaque", b"y")


def make_same(*roots: Path, path: str = "d/f", text: str = "text") -> None:
    """Make a file in several trees; it and all directories have one time."""
    for root in roots:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
        for each in (root, *root.rglob("*")):
            os.utime(each, (1, 1))


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_the_order_in_which_files_were_made_leaves_no_trace(tmp_path: Path, compression: Compression) -> None:
    make_tree(tmp_path / "a")
    make_tree(tmp_path / "b", backwards=True)
    a, b = (
        write_layer(tmp_path / each, tmp_path / f"{each}.layer", epoch=EPOCH, compression=compression) for each in "ab"
    )
    assert a == b
    assert (tmp_path / "a.layer").read_bytes() == (tmp_path / "b.layer").read_bytes()


def test_the_digests_and_sizes_are_those_of_the_blob_and_its_content(upper: Path, tmp_path: Path) -> None:
    make_tree(upper)
    layer = write_layer(upper, tmp_path / "layer", epoch=EPOCH)
    blob = (tmp_path / "layer").read_bytes()
    content = gzip.decompress(blob)
    assert layer.digest == "sha256:" + hashlib.sha256(blob).hexdigest()
    assert layer.diff_id == "sha256:" + hashlib.sha256(content).hexdigest()
    assert (layer.size, layer.uncompressed_size) == (len(blob), len(content))
    assert layer.media_type == "application/vnd.oci.image.layer.v1.tar+gzip"


def test_zstd_holds_the_same_content_as_gzip(upper: Path, tmp_path: Path) -> None:
    make_tree(upper)
    as_gzip = write_layer(upper, tmp_path / "layer.gz", epoch=EPOCH)
    as_zstd = write_layer(upper, tmp_path / "layer.zst", epoch=EPOCH, compression="zstd")
    assert as_gzip.diff_id == as_zstd.diff_id
    with (tmp_path / "layer.zst").open("rb") as blob:
        content = zstandard.ZstdDecompressor().stream_reader(blob).read()
    assert content == gzip.decompress((tmp_path / "layer.gz").read_bytes())
    assert as_zstd.media_type == "application/vnd.oci.image.layer.v1.tar+zstd"


def test_the_gzip_header_holds_no_time_and_no_name(upper: Path, tmp_path: Path) -> None:
    write_layer(upper, tmp_path / "layer", epoch=EPOCH)
    flags, time = struct.unpack_from("<xxxBI", (tmp_path / "layer").read_bytes())
    assert (flags, time) == (0, 0)


def test_the_root_directory_leads_with_its_mode_and_owner(upper: Path) -> None:
    upper.chmod(0o711)
    os.chown(upper, 3, 4)
    (entry,) = packed(upper)
    assert (entry.name, entry.type, entry.mode, entry.uid, entry.gid) == (".", tarfile.DIRTYPE, 0o711, 3, 4)


def test_entries_are_sorted_as_bytes_and_directories_lead_their_content(upper: Path) -> None:
    for name in ("b", "a-b", "a/z", "a/b/c", "Z", "é"):
        (upper / name).parent.mkdir(parents=True, exist_ok=True)
        (upper / name).touch()
    assert names(upper) == ["Z", "a", "a/b", "a/b/c", "a/z", "a-b", "b", "é"]


def test_a_later_time_becomes_the_epoch(upper: Path) -> None:
    (upper / "late").touch()
    assert packed(upper).getmember("late").mtime == EPOCH


def test_an_earlier_time_stays_and_loses_its_fraction(upper: Path) -> None:
    (upper / "early").touch()
    os.utime(upper / "early", (0, EPOCH - 1.5))
    assert packed(upper).getmember("early").mtime == EPOCH - 2


def test_without_an_epoch_times_stay(upper: Path) -> None:
    (upper / "late").touch()
    os.utime(upper / "late", (0, EPOCH + 9))
    assert packed(upper, epoch=None).getmember("late").mtime == EPOCH + 9


def test_a_time_before_1970_is_kept(upper: Path) -> None:
    (upper / "old").touch()
    os.utime(upper / "old", (0, -5))
    assert packed(upper).getmember("old").mtime == -5


def test_owners_are_numbers_only(upper: Path) -> None:
    (upper / "file").touch()
    os.chown(upper / "file", 1, 4_000_000_000)
    entry = packed(upper).getmember("file")
    assert (entry.uid, entry.gid, entry.uname, entry.gname) == (1, 4_000_000_000, "", "")


def test_a_device_0_0_is_a_whiteout_of_what_lies_below(upper: Path, lower: Path) -> None:
    (lower / "dir").mkdir()
    (lower / "dir/gone").touch()
    (upper / "dir").mkdir()
    make_whiteout(upper / "dir/gone")
    assert names(upper, lower) == ["dir", "dir/.wh.gone"]
    entry = packed(upper, lower).getmember("dir/.wh.gone")
    assert (entry.type, entry.size) == (tarfile.REGTYPE, 0)


def test_where_nothing_lies_below_there_is_no_whiteout(upper: Path, lower: Path) -> None:
    make_whiteout(upper / "gone")
    make_whiteout(lower / "gone")
    assert names(upper, lower) == []
    assert names(upper) == []


def test_the_mark_of_a_whiteout_has_no_time_and_no_mode(upper: Path, lower: Path) -> None:
    (lower / "gone").touch()
    make_whiteout(upper / "gone")
    entry = packed(upper, lower).getmember(".wh.gone")
    assert (entry.mtime, entry.mode) == (0, 0)


def test_an_opaque_directory_begins_with_its_mark(upper: Path, lower: Path) -> None:
    (lower / "dir").mkdir()
    (lower / "dir/old").touch()
    make_opaque(upper / "dir")
    (upper / "dir" / "!first").touch()
    assert names(upper, lower) == ["dir", "dir/.wh..wh..opq", "dir/!first"]
    assert packed(upper, lower).getmember("dir").pax_headers == {}


def test_a_directory_is_opaque_also_where_the_one_below_is_the_same(upper: Path, lower: Path) -> None:
    make_same(upper, lower)
    make_opaque(upper / "d")
    assert names(upper, lower) == ["d", "d/.wh..wh..opq", "d/f"]


@pytest.mark.parametrize("below", ["nothing", "an empty directory", "deleted files", "a file", "a deleted directory"])
def test_a_directory_that_hides_nothing_has_no_mark(upper: Path, tmp_path: Path, below: str) -> None:
    lower = [tmp_path / "lowest", tmp_path / "lower"]
    for one in lower:
        one.mkdir()
        if below == "deleted files":
            (one / "dir").mkdir()
    if below == "an empty directory":
        (lower[0] / "dir").mkdir()
    elif below == "deleted files":
        (lower[0] / "dir/file").touch()
        make_whiteout(lower[1] / "dir/file")
    elif below == "a file":
        (lower[1] / "dir").touch()
    elif below == "a deleted directory":
        make_same(lower[0], path="dir/file")
        make_whiteout(lower[1] / "dir")
    make_opaque(upper / "dir")
    (upper / "dir/new").touch()
    assert names(upper, *lower) == ["dir", "dir/new"]


def test_a_mark_that_a_step_could_have_set_itself_means_nothing(upper: Path) -> None:
    (upper / "dir").mkdir()
    for mark in ("opaque", "redirect", "metacopy"):
        os.setxattr(upper / "dir", f"user.overlay.{mark}", b"y")
    assert names(upper) == ["dir"]
    assert packed(upper).getmember("dir").pax_headers == {}


def test_devices_and_fifos_are_kept_and_a_socket_hides_what_was_there(upper: Path, lower: Path) -> None:
    (lower / "socket").touch()
    os.mknod(upper / "null", 0o020666, os.makedev(1, 3))
    os.mknod(upper / "loop", 0o060660, os.makedev(7, 300))
    os.mkfifo(upper / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(upper / "socket"))
    entries = {
        each.name: (each.type, each.devmajor, each.devminor) for each in packed(upper, lower) if each.name != "."
    }
    assert entries == {
        ".wh.socket": (tarfile.REGTYPE, 0, 0),
        "fifo": (tarfile.FIFOTYPE, 0, 0),
        "loop": (tarfile.BLKTYPE, 7, 300),
        "null": (tarfile.CHRTYPE, 1, 3),
    }


def test_the_first_of_hard_links_is_the_file(upper: Path) -> None:
    (upper / "b").write_text("content")
    for name in ("c", "a"):
        os.link(upper / "b", upper / name)
    entries = [(each.name, each.type, each.linkname) for each in packed(upper) if each.name != "."]
    assert entries == [("a", b"0", ""), ("b", b"1", "a"), ("c", b"1", "a")]


def test_capabilities_are_kept_as_bytes(upper: Path) -> None:
    (upper / "ping").touch()
    os.setxattr(upper / "ping", "security.capability", CAPABILITY)
    value = packed(upper).getmember("ping").pax_headers["SCHILY.xattr.security.capability"]
    assert value.encode("utf-8", "surrogateescape") == CAPABILITY


def test_a_file_of_more_than_8_gib_has_its_size_in_a_record() -> None:
    header = Entry(b"big", b"0", 0o644, size=9 << 30).header()
    with tarfile.open(fileobj=io.BytesIO(header), mode="r:") as archive:
        entry = archive.firstmember  # type: ignore[attr-defined]
    assert entry.size == 9 << 30


@pytest.mark.parametrize(
    "name",
    ["d" * 99 + "/f", "d/" * 60 + "f", "d" * 155 + "/" + "f" * 100, "d/" * 127 + "f", "d" * 60 + "/" + "e" * 60 + "/"],
)
def test_a_long_name_that_ustar_can_hold_in_two_parts_has_no_extended_header(name: str) -> None:
    header = Entry(name.encode(), b"5" if name.endswith("/") else b"0", 0o755).header()
    assert len(header) == tarfile.BLOCKSIZE
    assert tarfile.TarInfo.frombuf(header, "ascii", "strict").name == name.rstrip("/")


@pytest.mark.parametrize(
    "name", ["f" * 101, "d" * 156 + "/f", "d/" + "f" * 101, "/" + "f" * 100, "d/" * 130 + "f", "é" * 60]
)
def test_a_name_that_ustar_cannot_hold_has_an_extended_header(name: str) -> None:
    header = Entry(name.encode(), b"0", 0o755).header()
    assert len(header) > tarfile.BLOCKSIZE
    with tarfile.open(fileobj=io.BytesIO(header), mode="r:") as archive:
        assert archive.getnames() == [name]


def test_what_is_as_it_was_below_has_no_entry(upper: Path, lower: Path) -> None:
    make_same(upper, lower)
    for root in (upper, lower):
        (root / "link").symlink_to("d/f")
        os.mkfifo(root / "fifo")
        os.mknod(root / "null", 0o020666, os.makedev(1, 3))
        os.setxattr(root / "d/f", "trusted.note", b"1")
        for each in (root, *root.rglob("*")):
            os.utime(each, (1, 1), follow_symlinks=False)
    assert packed(upper, lower).getnames() == []


def test_a_file_that_is_written_anew_with_the_same_bytes_has_no_entry(upper: Path, lower: Path) -> None:
    make_same(lower)
    make_same(upper)
    for root, seconds in ((lower, EPOCH + 1), (upper, EPOCH + 2)):
        os.utime(root / "d/f", (seconds, seconds))
    assert packed(upper, lower).getnames() == []


def test_a_layer_without_entries_is_empty(upper: Path, lower: Path, tmp_path: Path) -> None:
    make_same(upper, lower)
    assert write_layer(upper, tmp_path / "layer", below=[Below(lower, EPOCH)], epoch=EPOCH).is_empty
    assert not write_layer(upper, tmp_path / "layer", epoch=EPOCH).is_empty


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_text("Text"),
        lambda path: path.write_text("longer"),
        lambda path: path.chmod(0o4644),
        lambda path: os.chown(path, 1, 0),
        lambda path: os.chown(path, 0, 1),
        lambda path: os.setxattr(path, "trusted.note", b"1"),
        lambda path: (path.unlink(), path.symlink_to("text")),
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["content", "size", "mode", "owner", "group", "attribute", "link", "directory"],
)
def test_whatever_changes_of_a_file_it_has_an_entry(upper: Path, lower: Path, change: Callable[[Path], object]) -> None:
    make_same(upper, lower)
    change(upper / "d/f")
    os.utime(upper / "d", (1, 1))
    os.utime(upper / "d/f", (1, 1), follow_symlinks=False)
    assert names(upper, lower) == ["d", "d/f"]


def test_a_file_with_another_time_has_an_entry(upper: Path, lower: Path) -> None:
    make_same(upper, lower)
    os.utime(upper / "d/f", (2, 2))
    assert names(upper, lower) == ["d", "d/f"]


def test_a_file_whose_time_the_layer_below_has_clamped_to_another_has_an_entry(
    upper: Path, lower: Path, tmp_path: Path
) -> None:
    make_same(upper, lower)
    for root in (upper, lower):
        os.utime(root / "d/f", (EPOCH, EPOCH))
    write_layer(upper, tmp_path / "layer", below=[Below(lower, EPOCH - 1)], epoch=EPOCH)
    with tarfile.open(tmp_path / "layer") as archive:
        assert archive.getnames() == [".", "d", "d/f"]


def test_a_file_that_has_another_name_below_has_an_entry(upper: Path, lower: Path) -> None:
    make_same(upper, lower)
    os.link(lower / "d/f", lower / "d/g")
    os.utime(lower / "d", (1, 1))
    assert names(upper, lower) == ["d", "d/f"]


def test_a_file_that_gets_another_name_has_an_entry(upper: Path, lower: Path) -> None:
    make_same(upper, lower)
    os.link(upper / "d/f", upper / "d/g")
    assert [(each.name, each.linkname) for each in packed(upper, lower)][2:] == [("d/f", ""), ("d/g", "d/f")]


def test_the_layer_that_is_seen_is_the_one_that_counts(upper: Path, lower: Path, tmp_path: Path) -> None:
    lowest = tmp_path / "lowest"
    lowest.mkdir()
    make_same(upper, lowest)
    make_same(lower, text="else")
    assert names(upper, lowest, lower) == ["d", "d/f"]
    make_same(lower)
    assert names(upper, lowest, lower) == []
    make_opaque(lower / "d")
    (lower / "d/f").unlink()
    assert names(upper, lowest, lower) == ["d", "d/f"]


def test_the_directories_above_an_entry_have_one_too(upper: Path, lower: Path) -> None:
    make_same(upper, lower, path="a/b/f")
    make_same(upper, lower, path="a/c/f")
    (upper / "a/c/f").write_text("new")
    assert packed(upper, lower).getnames() == [".", "a", "a/c", "a/c/f"]


def test_a_name_that_a_whiteout_would_have_is_refused(upper: Path) -> None:
    (upper / ".wh.x").touch()
    with pytest.raises(BadInput, match=r"^A step left '/\.wh\.x', but layers keep names that begin with '\.wh\.'"):
        names(upper)


@pytest.mark.parametrize("mark", ["redirect", "metacopy"])
def test_an_overlay_that_a_layer_cannot_express_is_refused(upper: Path, mark: str) -> None:
    (upper / "dir").mkdir()
    os.setxattr(upper / "dir", f"trusted.overlay.{mark}", b"x")
    with pytest.raises(EngineError, match=rf"^The overlay left 'trusted\.overlay\.{mark}'"):
        names(upper)


def test_a_disk_without_space_is_an_error_and_not_a_short_layer(upper: Path) -> None:
    (upper / "file").write_bytes(os.urandom(3 << 20))
    with pytest.raises(OSError, match="No space left"):
        write_layer(upper, Path("/dev/full"), epoch=EPOCH)
