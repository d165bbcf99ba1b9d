"""A header holds what it says, and has an extended one before it only where that is needed."""

import io
import tarfile

import pytest
from embedded_engine.oci.tarheader import HeaderFields


def test_a_file_of_more_than_8_gib_has_its_size_in_a_record() -> None:
    header = HeaderFields(b"big", b"0", 0o644, size=9 << 30).header()
    with tarfile.open(fileobj=io.BytesIO(header), mode="r:") as archive:
        entry = archive.firstmember  # type: ignore[attr-defined]
    assert entry.size == 9 << 30


@pytest.mark.parametrize(
    "name",
    ["d" * 99 + "/f", "d/" * 60 + "f", "d" * 155 + "/" + "f" * 100, "d/" * 127 + "f", "d" * 60 + "/" + "e" * 60 + "/"],
)
def test_a_long_name_that_ustar_can_hold_in_two_parts_has_no_extended_header(name: str) -> None:
    header = HeaderFields(name.encode(), b"5" if name.endswith("/") else b"0", 0o755).header()
    assert len(header) == tarfile.BLOCKSIZE
    assert tarfile.TarInfo.frombuf(header, "ascii", "strict").name == name.rstrip("/")


@pytest.mark.parametrize(
    "name", ["f" * 101, "d" * 156 + "/f", "d/" + "f" * 101, "/" + "f" * 100, "d/" * 130 + "f", "é" * 60]
)
def test_a_name_that_ustar_cannot_hold_has_an_extended_header(name: str) -> None:
    header = HeaderFields(name.encode(), b"0", 0o755).header()
    assert len(header) > tarfile.BLOCKSIZE
    with tarfile.open(fileobj=io.BytesIO(header), mode="r:") as archive:
        assert archive.getnames() == [name]
