"""Reads a layer's tar as a stream, and decompresses and hashes it on the way."""

import gzip
import hashlib
import io
import re
import tarfile
from collections.abc import Iterator
from typing import BinaryIO, cast

import zstandard
from isal import igzip, igzip_lib

from embedded_engine.host.errors import ArchiveInvalid

_BUFFER = 1 << 20
#: The longest header of a name or attribute in bytes, as in Go's archive/tar; honest archives have none longer.
_LONGEST_HEADER = 1 << 20
#: The limit in bytes of all headers of one entry together, and of all records for the following entries.
_LARGEST_HEADERS, _LARGEST_GLOBAL = 4 << 20, 1 << 20
#: Consecutive decimal digits, more than a number has; tarfile's time grows with their square (CVE-2024-6232).
_LONGEST_NUMBER = re.compile(rb"[0-9]{1025}")
#: The most entries of a layer; an image of a million files is a large one.
MOST_ENTRIES = 4_000_000
#: The most bytes of an uncompressed layer.
LARGEST_LAYER = 256 << 30
_MAGIC_GZIP = b"\x1f\x8b"
_MAGIC_ZSTD = b"\x28\xb5\x2f\xfd"
_ZEROS = bytes(tarfile.BLOCKSIZE)
#: The stubs of isal declare its error as a value.
_ISAL_ERROR = cast(type[Exception], igzip_lib.IsalError)
#: tarfile checks little of its input: a changed byte can raise any of these.
_HEADER_DAMAGE = (tarfile.TarError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError)
_DAMAGE = (EOFError, gzip.BadGzipFile, _ISAL_ERROR, zstandard.ZstdError)


class _Header(tarfile.TarInfo):
    """An entry whose extended header is checked before tarfile interprets it."""

    def _proc_pax(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        stream = cast("TarStream", archive.fileobj)
        stream.expect_records(for_all=self.type == tarfile.XGLTYPE)
        found: tarfile.TarInfo = super()._proc_pax(archive)  # type: ignore[misc]
        return found


class TarStream:
    """The entries of a gzip, zstd or plain tar, and the digest of the whole stream."""

    def __init__(self, blob: BinaryIO) -> None:
        self._source = _decompressed(blob)
        self._sha256 = hashlib.sha256()
        self._buffer = memoryview(b"")
        self._position = 0
        self._last_block = b""
        self._headers = self._for_all = 0
        self._records = False

    def entries(self) -> Iterator[tarfile.TarInfo]:
        """Yield each entry; the `content` of an entry can be read only before the next entry.

        Raises:
            ArchiveInvalid: the archive is damaged, or not a tar.
        """
        try:
            archive = tarfile.TarFile(
                fileobj=cast(BinaryIO, self), tarinfo=_Header, encoding="utf-8", errors="surrogateescape"
            )
            # In an archive without entries, Python 3.10 would seek to before the first one.
            is_empty = archive.firstmember is None  # type: ignore[attr-defined]
            count = 0
            while not is_empty and (entry := archive.next()):
                count, self._headers = count + 1, 0
                if count > MOST_ENTRIES:
                    raise _damaged(f"it has more than {MOST_ENTRIES} entries")
                archive.members = []  # type: ignore[attr-defined]  # tarfile would keep them all
                yield entry
        except _HEADER_DAMAGE as error:
            raise _damaged(str(error)) from None
        if self._last_block != _ZEROS:
            # tarfile treats a damaged header as the end.
            raise _damaged("it ends without the zero blocks that end a tar, or has a damaged header")

    def content(self, offset: int, size: int) -> Iterator[memoryview]:
        """Yield the bytes at a later position of the archive, in large pieces."""
        self.seek(offset)
        while size > 0:
            piece = self._take(size)
            if not piece:
                raise _damaged("it ends inside a file")
            size -= len(piece)
            yield piece

    def finish(self) -> str:
        """Read to the end, and return the digest of the whole uncompressed tar, "sha256:…"."""
        while self._take(_BUFFER):
            pass
        return "sha256:" + self._sha256.hexdigest()

    def tell(self) -> int:
        """Return the position in the uncompressed tar."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go forwards to a position in the uncompressed tar."""
        if whence != io.SEEK_SET or offset < self._position:
            raise _damaged("an entry says that it lies before the one in front of it")
        while self._position < offset and self._take(offset - self._position):
            pass
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Read a header for tarfile."""
        self._headers += max(size, 0)
        if not 0 <= size <= _LONGEST_HEADER or self._headers > _LARGEST_HEADERS:
            raise _damaged(f"a header of {max(size, self._headers)} bytes is longer than any real one")
        pieces = []
        while size and (piece := self._take(size)):
            pieces.append(bytes(piece))
            size -= len(piece)
        self._last_block = b"".join(pieces)
        if self._records:
            self._records = False
            _check_records(self._last_block)
        return self._last_block

    def expect_records(self, *, for_all: bool) -> None:
        """Expect the records of an extended header next.

        Args:
            for_all: whether they apply to every following entry.
        """
        self._records = True
        if for_all:
            # The block that tarfile read last is the header itself, which has their length.
            self._for_all += max(tarfile.nti(self._last_block[124:136]), 0)  # type: ignore[attr-defined]
            if self._for_all > _LARGEST_GLOBAL:
                raise _damaged("its global headers are longer than any real ones")

    def _take(self, size: int) -> memoryview:
        if not self._buffer:
            try:
                self._buffer = memoryview(self._source.read(_BUFFER))
            except _DAMAGE as error:
                raise _damaged(str(error)) from None
            self._sha256.update(self._buffer)
        piece, self._buffer = self._buffer[:size], self._buffer[size:]
        self._position += len(piece)
        if self._position > LARGEST_LAYER:
            raise _damaged(f"it has more than {LARGEST_LAYER >> 30} GiB when it is uncompressed")
        return piece


def _check_records(header: bytes) -> None:
    """Check that an extended header has only records, `LENGTH KEYWORD=VALUE` and a line break, and then zeros.

    Source: POSIX.1-2017, pax, "pax Extended Header".
    """
    if _LONGEST_NUMBER.search(header):
        raise _damaged("an extended header has a number of more than 1024 digits")
    at = 0
    while at < len(header) and header[at]:
        digits, blank, _ = header[at : at + 8].partition(b" ")
        length = int(digits) if blank and digits.isdigit() else 0
        record = header[at : at + length]
        if not (record.endswith(b"\n") and b"=" in record[len(digits) + 2 :]):
            raise _damaged("an extended header is not made of records")
        at += length


def _decompressed(blob: BinaryIO) -> BinaryIO:
    magic = blob.read(len(_MAGIC_ZSTD))
    blob.seek(-len(magic), io.SEEK_CUR)
    if magic.startswith(_MAGIC_GZIP):
        return cast(BinaryIO, igzip.open(blob, "rb"))  # type: ignore[no-untyped-call]
    if magic == _MAGIC_ZSTD:
        frames = zstandard.ZstdDecompressor().stream_reader(blob, read_across_frames=True, closefd=False)
        return cast(BinaryIO, frames)
    return blob


def _damaged(why: str) -> ArchiveInvalid:
    return ArchiveInvalid(f"The archive is damaged or no tar ({why}); get it anew.")
