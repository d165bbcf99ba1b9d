"""Holes of sparse files are zeros to every reader, and take neither time nor disk."""

import io
import os
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from embedded_engine.make.copying import copy_tree
from embedded_engine.oci.holes import SMALLEST, copy_content, data, write_sparsely
from embedded_engine.oci.layer import Layer, write_layer
from embedded_engine.oci.unpack import apply_layer
from isal import igzip

#: More than the 11 octal digits of a ustar header can say.
LARGE = (8 << 30) + (1 << 20)
#: What a large file holds besides zeros, by its place.
CONTENT = {0: b"first", 5 << 30: b"middle", LARGE - 4: b"last"}


def sparse(path: Path, size: int, content: dict[int, bytes]) -> Path:
    """Write a file of zeros that takes no disk but for some content."""
    with path.open("wb") as file:
        for offset, piece in content.items():
            file.seek(offset)
            file.write(piece)
        file.truncate(size)
    return path


def on_disk(path: Path) -> int:
    """Return the bytes that a file takes on the disk."""
    return path.stat().st_blocks * 512


@dataclass(frozen=True)
class Large:
    """A layer with one large file."""

    layer: Layer
    blob: Path


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Large:
    """The layer of a file that is larger than 8 GiB."""
    at = tmp_path_factory.mktemp("large")
    (at / "upper").mkdir()
    sparse(at / "upper" / "large", LARGE, CONTENT)
    return Large(write_layer(at / "upper", at / "blob", epoch=0), at / "blob")


@pytest.mark.slow
def test_a_file_larger_than_8_gib_is_packed_as_every_tar_has_it(large: Large) -> None:
    assert large.layer.uncompressed_size is not None
    assert large.layer.uncompressed_size - LARGE < 8192
    assert large.blob.stat().st_size < 16 << 20
    with igzip.open(large.blob, "rb") as stream:  # type: ignore[no-untyped-call]
        start = stream.read(1 << 20)
    with tarfile.open(fileobj=io.BytesIO(start), mode="r:") as archive:
        _, entry = archive.next(), archive.next()
    assert entry
    assert (entry.name, entry.type, entry.size) == ("large", tarfile.REGTYPE, LARGE)
    listed = subprocess.run(["tar", "--list", "--verbose"], input=start, capture_output=True, check=False)
    assert f" {LARGE} ".encode() in listed.stdout


@pytest.mark.slow
def test_it_is_unpacked_with_its_content_and_without_its_zeros(large: Large, tmp_path: Path) -> None:
    with large.blob.open("rb") as stream:
        assert apply_layer(stream, tmp_path) == large.layer.diff_id
    found = tmp_path / "large"
    assert (found.stat().st_size, on_disk(found) < 1 << 20) == (LARGE, True)
    with found.open("rb") as file:
        for offset, piece in CONTENT.items():
            file.seek(offset)
            assert file.read(len(piece)) == piece


@pytest.mark.parametrize(
    "content", [{}, {0: b"x"}, {1 << 20: b"x" * 5000}, {(4 << 20) - 1: b"x"}, {0: b"x", 3 << 20: b"y"}]
)
def test_a_copy_has_the_content_and_the_holes(tmp_path: Path, content: dict[int, bytes]) -> None:
    source = sparse(tmp_path / "source", 4 << 20, content)
    copy_content(source, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()
    assert on_disk(tmp_path / "copy") == on_disk(source)


def test_a_copied_tree_keeps_its_holes(tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    (tmp_path / "to").mkdir()
    sparse(tmp_path / "from" / "file", 4 << 20, {1 << 20: b"x"})
    copy_tree(tmp_path / "from", tmp_path / "to")
    assert on_disk(tmp_path / "to" / "file") < 1 << 20


def test_the_data_of_a_file_is_all_that_is_not_zero(tmp_path: Path) -> None:
    with sparse(tmp_path / "file", 4 << 20, {1 << 20: b"x", 3 << 20: b"y" * 8192}).open("rb") as file:
        found = list(data(file.fileno(), 4 << 20))
        for start, end in zip([0, *(end for _, end in found)], [*(start for start, _ in found), 4 << 20], strict=True):
            assert not any(os.pread(file.fileno(), end - start, start))
    assert sum(end - start for start, end in found) < 1 << 20


@pytest.mark.parametrize("offset", [0, 1, SMALLEST - 1])
@pytest.mark.parametrize("shape", ["x", "0", "x0", "0x", "x0x", "00x0", "x00"])
def test_runs_of_zeros_are_left_out_and_nothing_else(tmp_path: Path, shape: str, offset: int) -> None:
    piece = b"".join((b"\0" if each == "0" else b"x") * SMALLEST for each in shape) + b"rest"
    with (tmp_path / "file").open("xb") as file:
        write_sparsely(file.fileno(), memoryview(piece), offset)
    assert (tmp_path / "file").read_bytes() == bytes(offset) + piece
    assert on_disk(tmp_path / "file") <= (shape.count("x") + 2) * SMALLEST
