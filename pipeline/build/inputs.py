"""What all images of one run share."""

from dataclasses import dataclass

import dagger

from pipeline.build.base_reference import BaseReference
from pipeline.build.settings import Settings


@dataclass(frozen=True)
class Base:
    """The upstream image that the first images are built from.

    Args:
        container: the start of the images' chains.
        reference: its name in the metadata, as in ubuntu:22.04@sha256:….
    """

    container: dagger.Container
    reference: str

    @property
    def digest(self) -> str:
        """The digest of its manifest; empty where it is not known."""
        return BaseReference(self.reference).digest

    @property
    def is_stand_in(self) -> bool:
        """Whether it was made from one machine's own package sources."""
        return BaseReference(self.reference).is_stand_in


@dataclass(frozen=True)
class Build:
    """What all images of a run share.

    Args:
        settings: of the run.
        base: that all images are built on.
        extra_tags: further tags beside the version.
        tools: a directory of the gates' tools, used instead of their published releases.
    """

    settings: Settings
    base: Base
    extra_tags: tuple[str, ...] = ()
    tools: dagger.Directory | None = None

    def reference(self, name: str) -> str:
        """Return the reference under which an image is published."""
        return f"{self.settings.registry}/{name}:{self.settings.version}"

    def repository(self, name: str) -> str:
        """Return an image's name in its registry, without a tag."""
        return f"{self.settings.registry}/{name}"
