"""An index: which image of several is that of a platform, where every client finds the same one.

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
    """What an image runs on.

    Args:
        os: as in linux.
        architecture: as in amd64.
        variant: of the architecture, as in v8; empty for its usual one.
    """

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    def equals(self, other: "Platform") -> bool:
        """Tell whether two platforms are one to every client."""
        return self._normal == other._normal

    @property
    def _normal(self) -> tuple[str, str, str]:
        lower = self.architecture.lower()
        architecture = _ARCHITECTURES.get(lower, lower)
        return self.os.lower(), architecture, self.variant.lower() or _DEFAULT_VARIANTS.get(architecture, "")


def choose(index: Manifest, platform: Platform) -> Descriptor:
    """Return the one image of an index that every client chooses on a platform.

    An entry without a platform can be chosen on each: containerd then goes by the image's configuration.

    Args:
        index: that.
        platform: with an operating system and an architecture.

    Raises:
        RegistryError: there is none, or clients may choose different ones.
    """
    try:
        entries = [(descriptor_of(one), _platform(one)) for one in list_of(index.document["manifests"])]
    except (ValueError, KeyError) as error:
        raise RegistryError(f"{index.digest} is no index ({error}).") from error
    possible = [(entry, its) for entry, its in entries if its is None or its.equals(platform)]
    if len(possible) != 1 or possible[0][1] is None:
        count = f"{len(possible)} images" if possible else "no image"
        raise RegistryError(
            f"The index {index.digest} has {count} that a client on {platform} may choose, and not one."
        )
    entry, _ = possible[0]
    if entry.media_type not in IMAGES:
        raise RegistryError(f"The index {index.digest} has {entry.media_type!r} for {platform}, which is no image.")
    return entry


def _platform(entry: Any) -> Platform | None:
    """Return the platform of an entry; None where it says none, or not all of it."""
    given = entry.get("platform")
    if given is None:
        return None
    found = object_of(given, "os", "architecture", "variant", "os.version", "os.features")
    platform = Platform(*(text_of(found.get(part, "")) for part in ("os", "architecture", "variant")))
    return platform if platform.os and platform.architecture else None
