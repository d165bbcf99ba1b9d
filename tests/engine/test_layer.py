"""Layers are what the OCI image spec says of an overlay's upper directory, and the same each time."""

import gzip
import hashlib
import os
import socket
import struct
import tarfile
from pathlib import Path

import pytest
import zstandard
from embedded_engine.graph.nodes import Image, Scratch, Tarball
from embedded_engine.host.errors import BadInput, EngineError
from embedded_engine.oci.blob import Compression
from embedded_engine.oci.layer import FORMAT, write_layer

from tests.engine.packing import EPOCH, names, packed
from tests.engine.trees import CAPABILITY, make_tree


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


def test_an_archive_of_layers_of_another_format_is_another_archive() -> None:
    image = Image(Scratch(), "{}", (), "2026-01-31T00:00:00Z")
    assert Tarball((image,), "gzip", FORMAT).key != Tarball((image,), "gzip", FORMAT - 1).key


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
