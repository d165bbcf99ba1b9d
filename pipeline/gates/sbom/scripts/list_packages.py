"""Prints the Python distributions of an image, run by the image's own Python (see inventory.sh)."""

import json
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path


def owned() -> set[str]:
    """Return the files that dpkg has brought."""
    lists = Path("/var/lib/dpkg/info").glob("*.list")
    return {line for listed in lists for line in listed.read_text(encoding="utf-8").splitlines()}


def told(place: str) -> Iterator[tuple[str, str]]:
    """Yield what a CycloneDX document says to be inside of something else."""
    for component in json.loads(Path(place).read_text(encoding="utf-8")).get("components", ()):
        # What has no version is nothing that could be had: an optional dependency, say.
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
        for name, version in (distributions if place.endswith("-info") else told)(place):
            print("pypi", name, version, "", place, sep="\t")
