"""An image in a registry as it describes itself; `facts` verifies whether that is true."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipeline.build.version import Version
from pipeline.catalogue.image import Image
from pipeline.concurrency import concurrently
from pipeline.errors import RegistryError
from pipeline.escape import escaped
from pipeline.metadata import PREFIX
from pipeline.registry.address import DIGEST, Reference
from pipeline.registry.index import Platform
from pipeline.registry.manifest import CONFIG, DOCKER_CONFIG, Manifest
from pipeline.registry.registry import Registry
from pipeline.registry.repository import Repository
from pipeline.release.tags import newest
from pipeline.strict import object_of, text_of, texts_of

#: Layers that every client unpacks; others are stored elsewhere, are encrypted, or are not layers at all.
_LAYERS = frozenset(
    {
        "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.oci.image.layer.v1.tar+zstd",
        "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
    }
)


@dataclass(frozen=True)
class Configuration:
    """What an image's configuration claims: https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md.

    Args:
        platform: the image's platform.
        labels: the labels by their names.
        diff_ids: the digests of the unpacked layers, the lowest first.
    """

    platform: Platform
    labels: Mapping[str, str]
    diff_ids: tuple[str, ...]


@dataclass(frozen=True)
class Published:
    """An image in a registry.

    Args:
        repository: the image's repository.
        manifest: the image's manifest.
        config: the claims of its configuration.
    """

    repository: Repository
    manifest: Manifest
    config: Configuration

    @property
    def labels(self) -> Mapping[str, str]:
        """The image's labels."""
        return self.config.labels

    def label(self, key: str) -> str:
        """Return one of the labels int.skao.image.*; empty if it is missing."""
        return self.labels.get(PREFIX + key, "")

    @property
    def platform(self) -> Platform:
        """The platform that the image claims to run on."""
        return self.config.platform

    @property
    def diff_ids(self) -> tuple[str, ...]:
        """The claimed digests of the unpacked layers, the lowest first."""
        return self.config.diff_ids

    def reference(self, tag: str = "") -> Reference:
        """Return the image's reference with its digest."""
        return Reference(self.repository.address, self.repository.name, tag, self.manifest.digest)


async def find_published(repository: Repository, reference: str) -> Published | None:
    """Look up an image by its tag or digest; None if there is none.

    An index is refused, because each client would get another image of it.

    Args:
        repository: the image's repository.
        reference: a tag or a digest.

    Raises:
        RegistryError: the registry refuses, or the reference does not name a single image.
    """
    manifest = await repository.manifest(reference)
    if manifest is None:
        return None
    where = f"{repository.address}/{repository.name}{'@' if DIGEST.fullmatch(reference) else ':'}{reference}"
    try:
        return Published(repository, manifest, await read_configuration(repository, manifest))
    except ValueError as error:
        raise RegistryError(f"{where} is not an image of this pipeline: {escaped(str(error))}.") from error


async def read_configuration(repository: Repository, manifest: Manifest) -> Configuration:
    """Read the configuration of an image.

    Raises:
        RegistryError: the registry refuses, or the manifest is an index.
        ValueError: the manifest is not an image's, or the configuration does not follow its specification.
    """
    if manifest.config.media_type not in (CONFIG, DOCKER_CONFIG) or "artifactType" in manifest.document:
        raise ValueError(f"its configuration is {manifest.config.media_type!r}, which no client runs")
    if foreign := [layer.media_type for layer in manifest.layers if layer.media_type not in _LAYERS]:
        raise ValueError(f"a layer is {foreign[0]!r}, which not every client unpacks")
    config = _configuration(await repository.document(manifest.config))
    if len(config.diff_ids) != len(manifest.layers):
        raise ValueError(f"it has {len(manifest.layers)} layers, but its configuration names {len(config.diff_ids)}")
    return config


async def find_images(registry: Registry, version: str, names: Iterable[str]) -> dict[str, Published]:
    """Look up images of a version; missing ones are left out.

    Args:
        registry: their registry.
        version: the version.
        names: of the images, which the result keeps in order.

    Raises:
        RegistryError: the registry refuses, or does not answer.
    """
    listed = list(names)
    jobs = [partial(find_published, registry.repository(name), version) for name in listed]
    found = zip(listed, await concurrently(jobs), strict=True)
    return {name: image for name, image in found if image is not None}


async def newest_version(registry: Registry, images: Mapping[str, Image], below: str = "") -> str:
    """Return the newest final version that one of the lines has; empty if there is none.

    Args:
        registry: their registry.
        images: the images of the lines by name.
        below: a version that the result precedes; empty for none.

    Raises:
        RegistryError: the registry refuses, or does not answer.
    """
    firsts = [name for name, image in images.items() if image.parent is None]
    tags = await concurrently([registry.repository(name).tags for name in firsts])
    finals = (Version(tag) for listed in tags for tag in listed if Version(tag).is_final)
    return newest(one.text for one in finals if not below or one.numbers < Version(below).numbers)


def _configuration(document: Mapping[str, Any]) -> Configuration:
    found = object_of(document, "architecture", "os", "variant", "os.version", "config", "rootfs")
    platform = Platform(text_of(found.get("os")), text_of(found.get("architecture")), text_of(found.get("variant", "")))
    if not (platform.os and platform.architecture):
        raise ValueError("its configuration names no platform")
    execution = object_of(found.get("config", {}), "Labels", "Env", "Entrypoint", "Cmd", "User", "WorkingDir")
    labels = execution.get("Labels")
    rootfs = object_of(found.get("rootfs"), "type", "diff_ids")
    diff_ids = texts_of(rootfs.get("diff_ids"))
    if not all(DIGEST.fullmatch(digest) for digest in diff_ids):
        raise ValueError("its configuration names a layer without a digest")
    return Configuration(platform, _labels({} if labels is None else labels), diff_ids)


def _labels(given: Any) -> Mapping[str, str]:
    return {key: text_of(value) for key, value in object_of(given).items()}
