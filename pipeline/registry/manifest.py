"""The documents of an image in a registry: https://github.com/opencontainers/image-spec/tree/v1.1.0."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pipeline.errors import RegistryError
from pipeline.registry.address import DIGEST
from pipeline.strict import list_of, object_of, parse_json, text_of

IMAGE = "application/vnd.oci.image.manifest.v1+json"
DOCKER_IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
IMAGES, INDEXES = (IMAGE, DOCKER_IMAGE), (INDEX, DOCKER_INDEX)
CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
#: More than this is no manifest or configuration: registries allow 4 MiB.
LARGEST_DOCUMENT = 4 << 20


#: The fields that are read here or that any client reads, by the names that they must have.
_FIELDS = ("schemaVersion", "mediaType", "artifactType", "config", "layers", "fsLayers", "manifests", "subject")
_DESCRIPTOR_FIELDS = ("mediaType", "digest", "size", "urls", "data", "platform", "annotations", "artifactType")


@dataclass(frozen=True)
class Descriptor:
    """A blob as a manifest names it."""

    media_type: str
    digest: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """The manifest of an image or an index of several, byte for byte: its digest is that of the bytes.

    Args:
        raw: the bytes.
        content_type: what the registry calls them in its header; empty where nobody said.

    Raises:
        RegistryError: what is asked of it is not there, because it is no manifest of an image.
    """

    raw: bytes
    content_type: str = field(default="", compare=False)

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
    def media_type(self) -> str:
        """The type of the document: as it says itself, else as the registry says, else as its fields show.

        Raises:
            RegistryError: it is neither an image nor an index, or readers could take it for either.
        """
        try:
            return _media_type(self.document, self.content_type)
        except ValueError as error:
            raise RegistryError(f"{self.digest} is neither an image nor an index ({error}).") from error

    @cached_property
    def is_index(self) -> bool:
        """Whether it is an index: several images, of which each client chooses one by its platform."""
        return self.media_type in INDEXES

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """All of it."""
        try:
            return object_of(parse_json(self.raw), *_FIELDS)
        except ValueError as error:
            raise RegistryError(f"{self.digest} is no manifest ({error}).") from error

    @cached_property
    def _blobs(self) -> tuple[Descriptor, ...]:
        if self.is_index:
            raise RegistryError(
                f"{self.digest} is an index, of which each client chooses an image; name the image of one platform "
                "by its digest."
            )
        try:
            layers, config = list_of(self.document["layers"]), self.document["config"]
            return tuple(descriptor_of(blob) for blob in (*layers, config))
        except (ValueError, KeyError) as error:
            raise RegistryError(f"{self.digest} is no manifest of an image ({error}).") from error


def digest_of(data: bytes) -> str:
    """Return `sha256:…` of bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def descriptor_of(document: Any) -> Descriptor:
    """Read a descriptor: https://github.com/opencontainers/image-spec/blob/v1.1.0/descriptor.md.

    Raises:
        ValueError, KeyError: it is none.
    """
    found = object_of(document, *_DESCRIPTOR_FIELDS)
    media_type, digest, size = text_of(found["mediaType"]), text_of(found["digest"]), found["size"]
    if not (type(size) is int and size >= 0 and DIGEST.fullmatch(digest)):
        raise ValueError("a malformed descriptor")
    return Descriptor(media_type, digest, size)


def _media_type(document: Mapping[str, Any], content_type: str) -> str:
    """Return the type of a document; how the sources differ is https://nvd.nist.gov/vuln/detail/CVE-2021-41190."""
    own = text_of(document.get("mediaType", ""))
    header = content_type.partition(";")[0].strip().lower()
    # A header such as application/json says nothing of what kind of JSON it is.
    registry = header if header.startswith("application/vnd.") else ""
    if own and registry and own != registry:
        raise ValueError(f"it calls itself {own!r}, and the registry calls it {registry!r}")
    shown = _by_fields(document)
    found = own or registry or shown
    if found not in (*IMAGES, *INDEXES):
        raise ValueError(f"its type is {found!r}")
    if (found in INDEXES) != (shown == INDEX):
        raise ValueError(f"its type is {found!r}, and its fields are those of another")
    return found


def _by_fields(document: Mapping[str, Any]) -> str:
    """Return what the fields of a document make of it, as containers/image guesses it."""
    of_index, of_image = "manifests" in document, {"config", "layers", "fsLayers"} & document.keys()
    if of_index and of_image:
        raise ValueError("it has the fields of an image and those of an index")
    if of_index:
        return INDEX
    if not {"config", "layers"} <= document.keys():
        raise ValueError("it has the fields of neither")
    config = object_of(document["config"], *_DESCRIPTOR_FIELDS)
    return DOCKER_IMAGE if config.get("mediaType") == DOCKER_CONFIG else IMAGE
