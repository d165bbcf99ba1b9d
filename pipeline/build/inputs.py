"""What all images of one run share."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import dagger

from pipeline.build.base_reference import BaseReference
from pipeline.build.settings import Settings
from pipeline.catalogue.image import Image
from pipeline.catalogue.lookup import of_lines
from pipeline.checks.distribution import Distribution


@dataclass(frozen=True)
class Base:
    """The upstream image that the first images of a line are built from.

    Args:
        container: the start of the images' chains.
        reference: its name in the metadata, as in ubuntu:22.04@sha256:….
        distribution: that it must be of.
    """

    container: dagger.Container
    reference: str
    distribution: Distribution

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
        bases: of its lines, by their names.
        extra_tags: further tags beside the version.
        tools: a directory of the gates' tools, used instead of their published releases.
        chains: the lazy containers that were made so far, by the images' names.
    """

    settings: Settings
    bases: Mapping[str, Base]
    extra_tags: tuple[str, ...] = ()
    tools: dagger.Directory | None = None
    chains: dict[str, dagger.Container] = field(init=False, repr=False, compare=False, default_factory=dict)

    @property
    def images(self) -> Mapping[str, Image]:
        """The images of its lines by name, parents before children."""
        return of_lines(self.bases)

    @property
    def workbench(self) -> Base:
        """The base that tools run on: that of the first line."""
        return next(iter(self.bases.values()))

    def base_of(self, image: Image) -> Base:
        """Return the base of an image's line."""
        return self.bases[image.line.name]

    def snapshot_of(self, image: Image) -> str:
        """Return the snapshot of the package archive that an image is made from; empty for its present state."""
        return self.settings.snapshot_of(self.base_of(image).reference)

    def reference(self, name: str) -> str:
        """Return the reference under which an image is published."""
        return f"{self.settings.registry}/{name}:{self.settings.version}"

    def repository(self, name: str) -> str:
        """Return an image's name in its registry, without a tag."""
        return f"{self.settings.registry}/{name}"
