"""Prints the Python distributions and the crates of an image; the image's own Python runs it (see inventory.sh)."""

import json
import struct
import sys
import zlib
from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path
from typing import BinaryIO


def owned() -> set[str]:
    """Return the files that dpkg installed."""
    lists = Path("/var/lib/dpkg/info").glob("*.list")
    return {line for listed in lists for line in listed.read_text(encoding="utf-8").splitlines()}


def vendored(place: str) -> Iterator[tuple[str, str]]:
    """Yield the components that a CycloneDX document lists."""
    for component in json.loads(Path(place).read_text(encoding="utf-8")).get("components", ()):
        # A component without a version is not installed; it may be an optional dependency.
        if component.get("purl", "").startswith("pkg:pypi/") and component.get("version"):
            yield component["name"], component["version"]


def distributions(place: str) -> Iterator[tuple[str, str]]:
    """Yield the distribution of a .dist-info or .egg-info."""
    found = Distribution.at(place)
    if found.metadata["Name"]:
        yield found.metadata["Name"], found.version


def crates(place: str) -> Iterator[tuple[str, str]]:
    """Yield the crates that a Rust program lists in itself: https://github.com/rust-secure-code/cargo-auditable."""
    with Path(place).open("rb") as file:
        header = file.read(64)
        if len(header) < 64 or not header.startswith(b"\x7fELF\x02\x01"):  # 64 bits, little-endian
            return
        (start,) = struct.unpack_from("<Q", header, 40)
        size, count, names = struct.unpack_from("<HHH", header, 58)
        file.seek(start)
        table = file.read(size * count)
        if size < 64 or len(table) < size * count or names >= count:  # a program that is packed or cut off
            return
        sections = [struct.unpack_from("<I20xQQ", table, number * size) for number in range(count)]
        text = _section(file, sections[names])
        for section in sections:
            if text[section[0] :].startswith(b".dep-v0\0"):
                for crate in json.loads(zlib.decompress(_section(file, section)))["packages"]:
                    if crate.get("kind", "runtime") == "runtime":
                        yield crate["name"], crate["version"]


def _section(file: BinaryIO, section: tuple[int, ...]) -> bytes:
    file.seek(section[1])
    return file.read(section[2])


files = owned()
for place in sys.stdin.read().splitlines():
    if files.isdisjoint({place, f"{place}/METADATA", f"{place}/PKG-INFO"}):
        if place.endswith("-info"):
            kind, found = "pypi", distributions(place)
        elif place.endswith((".cdx", ".cdx.json")):
            kind, found = "pypi", vendored(place)
        else:
            kind, found = "cargo", crates(place)
        for name, version in found:
            print(kind, name, version, "", place, sep="\t")
