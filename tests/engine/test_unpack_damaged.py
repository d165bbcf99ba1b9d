"""A layer that is read is hashed, and a damaged one is refused."""

import contextlib
import gzip
import hashlib
import io
import random
import tarfile
from pathlib import Path

import pytest
import zstandard
from embedded_engine.host.errors import ArchiveInvalid
from embedded_engine.oci.unpack import apply_layer
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.engine.trees import entry, tar

SYMLINK = tarfile.SYMTYPE
XATTR = "SCHILY.xattr."


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


CONTENT = tar([(entry("file"), random.Random(0).randbytes(50_000)), entry("last")]).getvalue()
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
