"""An image in a registry, as it describes itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipeline.concurrency import concurrently
from pipeline.errors import RegistryError
from pipeline.images import by_name
from pipeline.metadata import PREFIX
from pipeline.registry.address import DIGEST, Reference
from pipeline.registry.manifest import Manifest
from pipeline.registry.registry import Registry
from pipeline.registry.repository import Repository

_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)


@dataclass(frozen=True)
class Published:
    """An image in a registry.

    Args:
        repository: where it is.
        manifest: its own.
        config: https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md
    """

    repository: Repository
    manifest: Manifest
    config: Mapping[str, Any]

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""
        return dict(self.config.get("config", {}).get("Labels") or {})

    def label(self, key: str) -> str:
        """Return one of the labels int.skao.image.*; empty where it is missing."""
        return self.labels.get(PREFIX + key, "")

    @property
    def platform(self) -> tuple[str, str]:
        """Its operating system and its architecture."""
        return self.config.get("os", ""), self.config.get("architecture", "")

    @property
    def diff_ids(self) -> tuple[str, ...]:
        """The digests of its layers as they are unpacked, the lowest first."""
        return tuple(self.config.get("rootfs", {}).get("diff_ids", ()))

    def reference(self, tag: str = "") -> Reference:
        """Return its reference, with its digest."""
        return Reference(self.repository.address, self.repository.name, tag, self.manifest.digest)


async def find_published(
    repository: Repository, reference: str, platform: tuple[str, str] = ("", "")
) -> Published | None:
    """Look up an image by its tag or digest; None where there is none.

    Args:
        repository: where it is.
        reference: a tag or a digest.
        platform: which of several it is, by operating system and architecture.

    Raises:
        RegistryError: the registry refuses, or has no image of one platform there.
    """
    manifest = await repository.manifest(reference)
    if manifest and (digest := _of_platform(manifest, platform)):
        manifest = await repository.manifest(digest)
    if manifest is None:
        return None
    return Published(repository, manifest, await repository.document(manifest.config))


async def find_images(registry: Registry, version: str) -> dict[str, Published]:
    """Look up the images of a version, parents before children; those that are not there are left out.

    Raises:
        RegistryError: the registry refuses, or does not answer.
    """
    jobs = [partial(find_published, registry.repository(name), version) for name in by_name()]
    found = zip(by_name(), await concurrently(jobs), strict=True)
    return {name: image for name, image in found if image is not None}


def _of_platform(manifest: Manifest, platform: tuple[str, str]) -> str:
    """Return the digest of the one that an index has for a platform; empty where it is no index."""
    try:
        document = json.loads(manifest.raw)
        if document.get("mediaType") not in _INDEXES:
            return ""
        for entry in document["manifests"]:
            if (entry["platform"]["os"], entry["platform"]["architecture"]) == platform:
                if not DIGEST.fullmatch(entry["digest"]):
                    raise ValueError(entry["digest"])
                return str(entry["digest"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RegistryError(f"{manifest.digest} is no manifest and no index ({error}).") from error
    return ""
