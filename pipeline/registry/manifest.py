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
#: The largest manifest or configuration in bytes, as registries limit them.
LARGEST_DOCUMENT = 4 << 20
#: The fields that this or another client reads; no other spelling of them is accepted.
_FIELDS = (
    *("schemaVersion", "mediaType", "artifactType", "config", "layers", "fsLayers", "manifests", "subject"),
    "annotations",
)
_DESCRIPTOR_FIELDS = ("mediaType", "digest", "size", "urls", "data", "platform", "annotations", "artifactType")


@dataclass(frozen=True)
class Descriptor:
    """A blob as a manifest describes it."""

    media_type: str
    digest: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """The manifest of an image, or an index, byte for byte.

    Args:
        raw: the bytes.
        content_type: the registry's Content-Type header; empty if unknown.

    Raises:
        RegistryError: a property is read that a document of this type does not have.
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
        """The blobs that must be in the registry before the manifest, each once."""
        return tuple(dict.fromkeys(self._blobs))

    @cached_property
    def media_type(self) -> str:
        """The document's type: its own, or else the registry's, or else the one that its fields show.

        Raises:
            RegistryError: the document is neither an image nor an index, or is ambiguous.
        """
        try:
            return _media_type(self.document, self.content_type)
        except ValueError as error:
            raise RegistryError(f"{self.digest} is neither an image nor an index ({error}).") from error

    @cached_property
    def is_index(self) -> bool:
        """Whether the document is an index, from which each client chooses an image by platform."""
        return self.media_type in INDEXES

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """The decoded JSON."""
        try:
            return object_of(parse_json(self.raw), *_FIELDS)
        except ValueError as error:
            raise RegistryError(f"{self.digest} is not a valid manifest ({error}).") from error

    @cached_property
    def annotations(self) -> Mapping[str, str]:
        """The annotations by their names."""
        try:
            return {name: text_of(value) for name, value in object_of(self.document.get("annotations", {})).items()}
        except ValueError as error:
            raise RegistryError(f"{self.digest} has malformed annotations ({error}).") from error

    @cached_property
    def _blobs(self) -> tuple[Descriptor, ...]:
        if self.is_index:
            raise RegistryError(
                f"{self.digest} is an index, from which each client chooses an image; name one platform's image by its "
                "digest."
            )
        try:
            layers, config = list_of(self.document["layers"]), self.document["config"]
            return tuple(descriptor_of(blob) for blob in (*layers, config))
        except (ValueError, KeyError) as error:
            raise RegistryError(f"{self.digest} is not an image's manifest ({error}).") from error


def digest_of(data: bytes) -> str:
    """Return `sha256:…` of bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def descriptor_of(document: Any) -> Descriptor:
    """Read a descriptor: https://github.com/opencontainers/image-spec/blob/v1.1.0/descriptor.md.

    Raises:
        ValueError, KeyError: the document is not a descriptor.
    """
    found = object_of(document, *_DESCRIPTOR_FIELDS)
    media_type, digest, size = text_of(found["mediaType"]), text_of(found["digest"]), found["size"]
    if not (type(size) is int and size >= 0 and DIGEST.fullmatch(digest)):
        raise ValueError("a malformed descriptor")
    return Descriptor(media_type, digest, size)


def _media_type(document: Mapping[str, Any], content_type: str) -> str:
    """Return the type of a document; https://nvd.nist.gov/vuln/detail/CVE-2021-41190 is about ambiguous ones."""
    own = text_of(document.get("mediaType", ""))
    header = content_type.partition(";")[0].strip().lower()
    # A header such as application/json does not say which kind of document it is.
    registry = header if header.startswith("application/vnd.") else ""
    if own and registry and own != registry:
        raise ValueError(f"it calls itself {own!r}, but the registry calls it {registry!r}")
    shown = _by_fields(document)
    found = own or registry or shown
    if found not in (*IMAGES, *INDEXES):
        raise ValueError(f"its type is {found!r}")
    if (found in INDEXES) != (shown == INDEX):
        raise ValueError(f"its type is {found!r}, but its fields are those of another")
    return found


def _by_fields(document: Mapping[str, Any]) -> str:
    """Return the type that a document's fields show, by the rules of containers/image."""
    of_index, of_image = "manifests" in document, {"config", "layers", "fsLayers"} & document.keys()
    if of_index and of_image:
        raise ValueError("it has the fields of both an image and an index")
    if of_index:
        return INDEX
    if not {"config", "layers"} <= document.keys():
        raise ValueError("it has the fields of neither")
    config = object_of(document["config"], *_DESCRIPTOR_FIELDS)
    return DOCKER_IMAGE if config.get("mediaType") == DOCKER_CONFIG else IMAGE
