"""The documents of an image in a registry: https://github.com/opencontainers/image-spec/tree/v1.1.0."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipeline.errors import RegistryError
from pipeline.registry.address import DIGEST

IMAGE = "application/vnd.oci.image.manifest.v1+json"
DOCKER_IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
#: More than this is no manifest or configuration: registries allow 4 MiB.
LARGEST_DOCUMENT = 4 << 20


@dataclass(frozen=True)
class Descriptor:
    """A blob as a manifest names it."""

    media_type: str
    digest: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """The manifest of an image, byte for byte: its digest is that of the bytes.

    Raises:
        RegistryError: what is asked of it is not there, because it is no manifest of an image.
    """

    raw: bytes

    @cached_property
    def digest(self) -> str:
        """`sha256:…`."""
        return digest_of(self.raw)

    @cached_property
    def config(self) -> Descriptor:
        """The image's configuration."""
        return self._blobs[-1]

    @cached_property
    def layers(self) -> tuple[Descriptor, ...]:
        """The image's layers, the lowest first."""
        return self._blobs[:-1]

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """All that has to be in the registry before the manifest, each once."""
        return tuple(dict.fromkeys(self._blobs))

    @cached_property
    def _blobs(self) -> tuple[Descriptor, ...]:
        try:
            document = json.loads(self.raw)
            if document["mediaType"] not in (IMAGE, DOCKER_IMAGE):
                raise ValueError(document["mediaType"])
            return tuple(_descriptor(blob) for blob in (*document["layers"], document["config"]))
        except (ValueError, KeyError, TypeError) as error:
            raise RegistryError(
                f"{self.digest} is no manifest of one image ({error}); name the image of one platform."
            ) from error


def digest_of(data: bytes) -> str:
    """Return `sha256:…` of bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _descriptor(document: Mapping[str, Any]) -> Descriptor:
    media_type, digest, size = document["mediaType"], document["digest"], document["size"]
    if not (isinstance(media_type, str) and isinstance(size, int) and size >= 0 and DIGEST.fullmatch(digest)):
        raise ValueError("a malformed descriptor")
    return Descriptor(media_type, digest, size)
