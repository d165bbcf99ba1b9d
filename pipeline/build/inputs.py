"""What is the same for all images of one run."""

from dataclasses import dataclass

import dagger

from pipeline.build.base_reference import BaseReference
from pipeline.build.settings import Settings


@dataclass(frozen=True)
class Base:
    """The image at the root.

    Args:
        container: where the images' chains start.
        reference: how the metadata call it, as in ubuntu:22.04@sha256:….
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
    """What all images of a run have in common.

    Args:
        settings: of the run.
        base: that they led to.
        extra_tags: those beside the version.
        tools: a directory of other projects' programs, used instead of their makers' releases.
    """

    settings: Settings
    base: Base
    extra_tags: tuple[str, ...] = ()
    tools: dagger.Directory | None = None

    def reference(self, name: str) -> str:
        """Return the reference under which an image is published."""
        return f"{self.settings.registry}/{name}:{self.settings.version}"
