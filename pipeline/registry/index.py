"""Chooses the image of an index for a platform, where every client chooses the same one.

Source: https://github.com/opencontainers/image-spec/blob/v1.1.0/image-index.md
"""

from dataclasses import dataclass
from typing import Any

from pipeline.errors import RegistryError
from pipeline.registry.manifest import IMAGES, Descriptor, Manifest, descriptor_of
from pipeline.strict import list_of, object_of, text_of

#: As containerd reads them: https://github.com/containerd/platforms/blob/v0.2.1/database.go
_DEFAULT_VARIANTS = {"amd64": "v1", "arm64": "v8", "arm": "v7"}
_ARCHITECTURES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "i386": "386"}


@dataclass(frozen=True)
class Platform:
    """The platform that an image runs on.

    Args:
        os: as in linux.
        architecture: as in amd64.
        variant: the architecture's variant, as in v8; empty for the default.
    """

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    def equals(self, other: "Platform") -> bool:
        """Return whether every client takes two platforms for the same."""
        return self._normal == other._normal

    @property
    def _normal(self) -> tuple[str, str, str]:
        lower = self.architecture.lower()
        architecture = _ARCHITECTURES.get(lower, lower)
        return self.os.lower(), architecture, self.variant.lower() or _DEFAULT_VARIANTS.get(architecture, "")


def choose(index: Manifest, platform: Platform) -> Descriptor:
    """Return the image of an index that every client chooses on a platform.

    An entry without a platform may be chosen on any: containerd then reads the image's configuration.

    Args:
        index: an image index.
        platform: an operating system and an architecture.

    Raises:
        RegistryError: there is no such image, or clients may choose different ones.
    """
    try:
        entries = [(descriptor_of(entry), _platform(entry)) for entry in list_of(index.document["manifests"])]
    except (ValueError, KeyError) as error:
        raise RegistryError(f"{index.digest} is not a valid index ({error}).") from error
    possible = [(entry, its) for entry, its in entries if its is None or its.equals(platform)]
    if len(possible) != 1 or possible[0][1] is None:
        count = f"{len(possible)} images" if possible else "no image"
        raise RegistryError(
            f"The index {index.digest} has {count} that a client on {platform} may choose; it must have exactly one."
        )
    entry, _ = possible[0]
    if entry.media_type not in IMAGES:
        raise RegistryError(f"The index {index.digest} has {entry.media_type!r} for {platform}, which is not an image.")
    return entry


def _platform(entry: Any) -> Platform | None:
    """Return the platform of an entry; None if it has none, or an incomplete one."""
    given = entry.get("platform")
    if given is None:
        return None
    found = object_of(given, "os", "architecture", "variant", "os.version", "os.features")
    platform = Platform(*(text_of(found.get(part, "")) for part in ("os", "architecture", "variant")))
    return platform if platform.os and platform.architecture else None
