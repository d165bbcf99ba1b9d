"""A layer has an entry of what differs from the layers below, and of nothing else."""

import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from embedded_engine.oci.below import Below
from embedded_engine.oci.layer import write_layer

from tests.engine.packing import EPOCH, names, packed


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
