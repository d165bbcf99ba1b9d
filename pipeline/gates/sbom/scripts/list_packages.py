"""Prints the Python distributions of an image; the image's own Python runs it (see inventory.sh)."""

import json
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path


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


files = owned()
for place in sys.stdin.read().splitlines():
    if files.isdisjoint({place, f"{place}/METADATA", f"{place}/PKG-INFO"}):
        for name, version in (distributions if place.endswith("-info") else vendored)(place):
            print("pypi", name, version, "", place, sep="\t")
