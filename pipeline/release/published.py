"""An image in a registry, as it describes itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.metadata import PREFIX
from pipeline.registry.manifest import Manifest
from pipeline.registry.repository import Repository


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


async def find_published(repository: Repository, reference: str) -> Published | None:
    """Look up an image by its tag or digest; None where there is none.

    Raises:
        RegistryError: the registry refuses, or has no image of one platform there.
    """
    manifest = await repository.manifest(reference)
    if manifest is None:
        return None
    return Published(repository, manifest, await repository.document(manifest.config))
