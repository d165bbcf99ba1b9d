"""Writes databases of bbolt, in which Trivy's are kept: each bucket is one leaf page, as long as it has to be.

Source: https://pkg.go.dev/go.etcd.io/bbolt, page.go, bucket.go and meta.go of version 1.3
"""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

#: Keys with values, or with buckets of their own.
Bucket: TypeAlias = "Mapping[str, bytes | Bucket]"

_PAGE = 4096
_LEAF, _META, _FREELIST = 0x02, 0x04, 0x10
_FIRST_LEAF = 3
_HEADER = struct.Struct("<QHHI")  # number, kind, elements, further pages
_ELEMENT = struct.Struct("<IIII")  # whether it is a bucket, place of the key, sizes of key and value
_BUCKET = struct.Struct("<QQ")  # number of its page, sequence
_FNV_START, _FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3


def write(path: Path, root: Bucket) -> None:
    """Write a database that holds nothing but these buckets."""
    pages: list[bytes] = []
    place = _write_bucket(root, pages)
    freelist = _page(2, _FREELIST, 0, b"")
    end = _FIRST_LEAF + sum(map(len, pages)) // _PAGE
    metas = [_meta(number, place, end) for number in (0, 1)]
    path.write_bytes(b"".join([*metas, freelist, *pages]))


def _write_bucket(bucket: Bucket, pages: list[bytes]) -> int:
    """Add a bucket's page after those of the buckets in it, and return its number."""
    elements = []
    for key, value in sorted((key.encode(), value) for key, value in bucket.items()):
        if isinstance(value, bytes):
            elements.append((False, key, value))
        else:
            elements.append((True, key, _BUCKET.pack(_write_bucket(value, pages), 0)))
    heads, bodies = b"", b""
    for place, (inner, key, value) in enumerate(elements):
        offset = (len(elements) - place) * _ELEMENT.size + len(bodies)
        heads += _ELEMENT.pack(inner, offset, len(key), len(value))
        bodies += key + value
    number = _FIRST_LEAF + sum(map(len, pages)) // _PAGE
    pages.append(_page(number, _LEAF, len(elements), heads + bodies))
    return number


def _page(number: int, kind: int, count: int, body: bytes) -> bytes:
    length = -(-(_HEADER.size + len(body)) // _PAGE)
    return (_HEADER.pack(number, kind, count, length - 1) + body).ljust(length * _PAGE, b"\0")


def _meta(number: int, root: int, end: int) -> bytes:
    magic, version, transaction = 0xED0CDAED, 2, number
    meta = struct.pack("<IIIIQQQQQ", magic, version, _PAGE, 0, root, 0, 2, end, transaction)
    checksum = _FNV_START
    for byte in meta:
        checksum = (checksum ^ byte) * _FNV_PRIME & 0xFFFFFFFFFFFFFFFF
    return _page(number, _META, 0, meta + struct.pack("<Q", checksum))
