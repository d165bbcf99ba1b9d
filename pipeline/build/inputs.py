"""What is the same for all images of one run."""

from dataclasses import dataclass

import dagger

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
        """The digest of its manifest; empty where it has none."""
        return "" if self.reference.startswith("archive:") else self.reference.partition("@")[2]


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

    def repository(self, name: str) -> str:
        """Return an image's name in its registry, without a tag."""
        return f"{self.settings.registry}/{name}"
