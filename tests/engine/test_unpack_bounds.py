"""Unpacking takes no more time and memory than an archive's length explains."""

import io
import tarfile
from pathlib import Path

import pytest
import zstandard
from embedded_engine.host.errors import ArchiveInvalid
from embedded_engine.oci import tarstream
from embedded_engine.oci.unpack import apply_layer

from tests.engine.trees import entry, tar

DIRECTORY = tarfile.DIRTYPE
#: "d/" so many times is a path that Linux still allows.
DEEP = 1500


def headers(kind: bytes, body: bytes, count: int = 1) -> io.BytesIO:
    """Return a tar in which special headers stand before a file."""
    made = tarfile.TarInfo("x")
    made.type, made.size = kind, len(body)
    one = made.tobuf(tarfile.GNU_FORMAT) + body + bytes(-len(body) % 512)
    return io.BytesIO(one * count + entry("f").tobuf(tarfile.USTAR_FORMAT) + bytes(1024))


def sparse_map(lines: bytes) -> io.BytesIO:
    """Return a tar with a file in GNU's sparse format 1.0, whose map begins with these lines."""
    records = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "1"}
    return tar([(entry("f", pax_headers=records), lines)])


DAMAGED = {
    "long names without end": (headers(b"L", b"name\0", 3000), "recursion"),
    "records without end": (headers(b"x", b"9 a=bcd1\n", 3000), "recursion"),
    "a number of many digits": (headers(b"x", b"30011 a=" + b"1" * 30_002 + b"\n"), "more than 1024 digits"),
    "a record that is shorter than it says": (headers(b"x", b"99 a=b\n"), "not made of records"),
    "records inside each other": (headers(b"x", b"3 " * 100_000 + b"a=\n"), "not made of records"),
    "a negative record": (headers(b"x", b"-9 a=bcd\n"), "not made of records"),
    "a record without a keyword": (headers(b"x", b"6 =ab\n"), "not made of records"),
    "a sparse map without end": (sparse_map(b"9999999999\n" + b"0\n" * (3 << 20)), "longer than any real one"),
    "a sparse map without a line break": (sparse_map(b"1\n" + b"1" * (5 << 20)), "not enough values"),
    "global records without end": (
        io.BytesIO(b"".join(headers(b"g", b"9 a=bcd1\n" * 60_000).getvalue()[:-1024] for _ in range(3)) + bytes(1024)),
        "global headers",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", DAMAGED)
def test_headers_that_cost_more_than_they_say_are_refused(root: Path, case: str) -> None:
    archive, why = DAMAGED[case]
    with pytest.raises(ArchiveInvalid, match=rf"^The archive is damaged or no tar \(.*{why}.*\); get it anew\.$"):
        apply_layer(archive, root)


def test_a_layer_has_a_largest_number_of_entries(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tarstream, "MOST_ENTRIES", 3)
    apply_layer(tar([entry(name) for name in "abc"]), root)
    with pytest.raises(ArchiveInvalid, match="more than 3 entries"):
        apply_layer(tar([entry(name) for name in "abcd"]), root)


@pytest.mark.slow
def test_a_layer_has_a_largest_size_however_small_its_blob_is(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tarstream, "LARGEST_LAYER", 1 << 30)
    frame = zstandard.ZstdCompressor().compress(bytes(64 << 20))
    header = entry("zeros", size=2 << 30).tobuf(tarfile.GNU_FORMAT)
    bomb = zstandard.ZstdCompressor().compress(header) + frame * 32
    assert len(bomb) < 1 << 20
    with pytest.raises(ArchiveInvalid, match="more than 1 GiB when it is uncompressed"):
        apply_layer(io.BytesIO(bomb), root)


@pytest.mark.slow
def test_a_tree_may_be_as_deep_as_linux_allows(root: Path) -> None:
    apply_layer(tar([(entry("d/" * DEEP + "f"), b"content"), entry("d/" * DEEP, DIRECTORY, mode=0o750)]), root)
    assert (root / ("d/" * DEEP) / "f").read_text() == "content"
    assert (root / ("d/" * DEEP)).stat().st_mode & 0o7777 == 0o750
    apply_layer(tar([entry(".wh..wh..opq"), entry("e")]), root)
    assert [path.name for path in root.iterdir()] == ["e"]


@pytest.mark.slow
def test_a_file_takes_the_place_of_a_deep_tree(root: Path) -> None:
    apply_layer(tar([entry("d/" * DEEP, DIRECTORY), entry("d")]), root)
    assert (root / "d").is_file()
