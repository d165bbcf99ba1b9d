"""Compares two OCI archives of one image, down to the file and the field that differ.

It reads only layers that differ, as streams, and keeps only digests of entries, so an image of any size needs little
memory.
"""

import hashlib
import json
import re
import tarfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import zip_longest
from pathlib import Path
from typing import IO, Any

from dev.reproduce.archive import ArchiveError, Key, OciArchive, open_archive

_XATTR = "SCHILY.xattr."
_KINDS = {
    tarfile.REGTYPE: "file",
    tarfile.LNKTYPE: "hard link",
    tarfile.SYMTYPE: "symbolic link",
    tarfile.CHRTYPE: "character device",
    tarfile.BLKTYPE: "block device",
    tarfile.DIRTYPE: "directory",
    tarfile.FIFOTYPE: "named pipe",
}
_FOLLOWS = re.compile(r"manifest\.(config|layers\[\d+\])\.(digest|size)")
_FOLLOWS_FROM_LAYERS = re.compile(rf"{_FOLLOWS.pattern}|manifest\.layers|configuration\.rootfs\.diff_ids(\[\d+\])?")


@dataclass(frozen=True)
class Difference:
    """A difference between two archives.

    Args:
        where: a path in a layer, or a place in the image's documents.
        cause: the fields that differ, with both values.
        layer: the number of the layer, from 1; 0 for a document.
    """

    where: str
    cause: str
    layer: int = 0

    def __str__(self) -> str:
        return f"{f'layer {self.layer}: ' if self.layer else ''}{self.where}: {self.cause}"


@dataclass(frozen=True)
class Comparison:
    """The result of the comparison of two archives.

    Args:
        digests: the digests of their manifests.
        differences: the differences; none if the digests are the same.
    """

    digests: tuple[str, str]
    differences: tuple[Difference, ...]


def compare(first: Path, second: Path, keep: Path | None = None) -> Comparison:
    """Compare two archives of an image.

    Args:
        first: an OCI archive.
        second: another OCI archive.
        keep: a directory for NAME.layer-N.first.tar and .second.tar of each layer that differs, with only the entries
            that differ.

    Raises:
        ArchiveError: an archive is damaged, or not an OCI archive.
    """
    with open_archive(first) as one, open_archive(second) as two:
        digests = one.digest, two.digest
        found = () if one.digest == two.digest else (*_layers(one, two, keep), *_documents(one, two))
    if digests[0] != digests[1] and not found:
        found = (Difference("the manifest", "the two say the same in other bytes"),)
    return Comparison(digests, found)


def compare_all(first: Path, second: Path, keep: Path | None = None) -> dict[str, Comparison]:
    """Compare the archives NAME.tar of two directories.

    Args:
        first: a directory that build-all wrote.
        second: another such directory.
        keep: see `compare`.

    Returns:
        The results by the images' names.

    Raises:
        ArchiveError: a directory lacks an image that the other has, or an archive is damaged.
    """
    one, two = ({path.stem for path in directory.glob("*.tar")} for directory in (first, second))
    for directory, lacking in ((first, two - one), (second, one - two)):
        if lacking:
            raise ArchiveError(f"{directory} lacks {min(lacking)}.tar; give two directories with the same images.")
    if not one:
        raise ArchiveError(f"{first} and {second} hold no archives; give directories that build-all wrote.")
    return {name: compare(first / f"{name}.tar", second / f"{name}.tar", keep) for name in sorted(one)}


def _layers(one: OciArchive, two: OciArchive, keep: Path | None) -> Iterator[Difference]:
    if one.layers != two.layers and sorted(one.layers) == sorted(two.layers):
        order = " ".join(str(two.layers.index(layer) + 1) for layer in one.layers)
        yield Difference("the layers", f"stand in another order: those of the first are the second's {order}")
        return
    for number, (left, right) in enumerate(zip_longest(one.layers, two.layers)):
        if left is None or right is None:
            yield Difference("the layer", f"only the {'second' if left is None else 'first'} has it", number + 1)
        elif left != right:
            yield from _entries(one, two, number, keep)


def _entries(one: OciArchive, two: OciArchive, number: int, keep: Path | None) -> Iterator[Difference]:
    left, right = _digests(one, number), _digests(two, number)
    changed = {key for key in left.keys() | right.keys() if left.get(key) != right.get(key)}
    if changed:
        yield from _changed(one, two, number, changed, keep)
    elif list(left) != list(right):
        moved = next(key for key, other in zip(left, right, strict=True) if key != other)
        yield Difference(_path(moved), "stands at another place in the layer", number + 1)
    elif one.diff_ids[number] == two.diff_ids[number]:
        yield Difference("the blob", "the same tar, compressed in another way (by another version?)", number + 1)
    else:
        yield Difference("the tar", "the same entries, written in another way (by another version?)", number + 1)


def _digests(image: OciArchive, number: int) -> dict[Key, bytes]:
    return {
        key: hashlib.blake2b(repr(_facts(entry, content)).encode(errors="surrogateescape"), digest_size=16).digest()
        for key, entry, content in image.entries(number)
    }


def _changed(
    one: OciArchive, two: OciArchive, number: int, changed: Collection[Key], keep: Path | None
) -> Iterator[Difference]:
    left, right = _read(one, number, changed), _read(two, number, changed)
    for key in dict.fromkeys((*left, *right)):
        if key in left and key in right:
            yield Difference(_path(key), "; ".join(_fields(left[key], right[key])), number + 1)
        else:
            where = "first" if key in left else "second"
            yield Difference(_path(key), f"only the {where} has it", number + 1)
    if keep:
        name = f"{one.path.stem}.layer-{number + 1}"
        for image, which in ((one, "first"), (two, "second")):
            _keep(image, number, changed, keep / f"{name}.{which}.tar")


def _path(key: Key) -> str:
    return "/" + (key[0] if key[0].isprintable() else repr(key[0])[1:-1])


def _read(image: OciArchive, number: int, wanted: Collection[Key]) -> dict[Key, dict[str, str]]:
    return {key: _facts(entry, content) for key, entry, content in image.entries(number) if key in wanted}


def _keep(image: OciArchive, number: int, wanted: Collection[Key], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for key, entry, content in image.entries(number):
            if key in wanted:
                tar.addfile(entry, content)


def _facts(entry: tarfile.TarInfo, content: IO[bytes] | None) -> dict[str, str]:
    xattrs = {
        f"xattr {name.removeprefix(_XATTR)}": value.encode("utf-8", "surrogateescape").hex()
        for name, value in sorted(entry.pax_headers.items())
        if name.startswith(_XATTR)
    }
    return {
        "type": _KINDS.get(entry.type, repr(entry.type)),
        "mode": f"{entry.mode:04o}",
        "owner": f"{entry.uid}:{entry.gid}",
        "mtime": _moment(entry.mtime),
        "target": entry.linkname,
        "device": f"{entry.devmajor}:{entry.devminor}",
        "size": str(entry.size),
        "content": _sha256(content) if content else "",
        **xattrs,
    }


def _moment(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).isoformat().replace("+00:00", "Z")
    except (OverflowError, OSError, ValueError):
        return str(seconds)


def _sha256(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := content.read(1 << 20):
        digest.update(block)
    return f"sha256:{digest.hexdigest()[:12]}"


def _documents(one: OciArchive, two: OciArchive) -> Iterator[Difference]:
    # A field with the digest of a document or layer differs whenever its target does.
    follows = _FOLLOWS if one.layers == two.layers else _FOLLOWS_FROM_LAYERS
    for name in ("configuration", "manifest"):
        for place, left, right in _values(getattr(one, name), getattr(two, name), name):
            if not follows.fullmatch(place):
                yield Difference(place, f"{json.dumps(left)} and {json.dumps(right)}")


def _values(left: Any, right: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield the places where two JSON documents differ, with both values."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for key in dict.fromkeys((*left, *right)):
            yield from _values(left.get(key), right.get(key), f"{place}.{key}")
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for number, values in enumerate(zip(left, right, strict=True)):
            yield from _values(*values, f"{place}[{number}]")
    elif left != right:
        yield place, left, right


def _fields(left: Mapping[str, str], right: Mapping[str, str]) -> Iterator[str]:
    for name in dict.fromkeys((*left, *right)):
        values = [fields.get(name) or "none" for fields in (left, right)]
        if values[0] != values[1]:
            yield f"{name} {values[0]} and {values[1]}"
