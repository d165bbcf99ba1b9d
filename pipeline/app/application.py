"""The image of an application: the runtime image, its dependencies, the project, and the metadata."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import dagger

from pipeline.app.environment import ENVIRONMENT, HOME, Source
from pipeline.app.pair import RUNTIME, PairImage
from pipeline.build.inputs import Build
from pipeline.build.labelling import OCI, with_labels
from pipeline.catalogue.image import Family, Image
from pipeline.catalogue.lookup import the_only
from pipeline.checks.check import NONROOT_USER
from pipeline.errors import AppError
from pipeline.metadata import PATH, Metadata
from pipeline.steps.install import Install
from pipeline.steps.step import EPOCH


@dataclass(frozen=True)
class Identity:
    """What an application's image says about itself.

    Args:
        metadata: the seven keys.
        name: of the application.
        description: one line; may be empty.
        base_digest: of the manifest of the image that it stands on.
    """

    metadata: Metadata
    name: str
    description: str
    base_digest: str

    def labels(self) -> dict[str, str]:
        """Return the labels: SKAO's seven and OCI's."""
        values = {
            "created": self.metadata.created,
            "version": self.metadata.version,
            "source": self.metadata.source,
            "url": self.metadata.url,
            "title": self.name,
            "description": self.description,
            "base.name": self.metadata.baseImage.partition("@")[0],
            "base.digest": self.base_digest,
        }
        return {**{OCI + key: value for key, value in values.items() if value}, **self.metadata.labels()}


def declared(source: Source, given: Mapping[str, str]) -> Mapping[str, str]:
    """Return the version, team, url and source of an application.

    Args:
        source: its source.
        given: those of the command line, which go before those of pyproject.toml.

    Raises:
        AppError: one is missing.
    """
    project = source.project
    values = {"version": project.version, **project.declared, **{key: value for key, value in given.items() if value}}
    for key in ("version", "team", "url", "source"):
        if not values.get(key):
            table = "project" if key == "version" else "tool.ska-images.app"
            # --source is the directory here.
            flag = "" if key == "source" else f", or give --{key}"
            raise AppError(f"The application has no {key}; write it in [{table}] of pyproject.toml{flag}.")
    return values


def identity_of(source: Source, runtime: PairImage, build: Build, values: Mapping[str, str]) -> Identity:
    """Return what an application says about itself.

    Args:
        source: its source.
        runtime: the image that it stands on.
        build: the settings of the build, for the time.
        values: what `declared` returned.

    Raises:
        MetadataError: a value holds a control character.
    """
    project = source.project
    metadata = Metadata(
        created=build.settings.created,
        version=values["version"],
        tags=values["version"],
        team=values["team"],
        url=values["url"],
        source=values["source"],
        baseImage=runtime.reference,
    )
    return Identity(metadata, project.name, project.description, runtime.digest)


def image_of(source: Source, build: Build) -> Image:
    """Return the entry that gates know an application by."""
    runtime = the_only(RUNTIME, build.bases)
    name = re.sub(r"[-_.]+", "-", source.project.name).lower()
    family = Family(
        name=name,
        parent=RUNTIME,
        title=source.project.name,
        description=source.project.description,
        install=Install(()),
        checks=(),
        size_budget=runtime.size_budget,
    )
    # An application's name has no suffix, whatever line it stands on.
    return Image(family, replace(runtime.line, suffix=""))


def assemble(
    runtime: dagger.Container,
    dependencies: dagger.Container,
    project: dagger.Directory,
    entrypoint: tuple[str, ...],
    identity: Identity,
    epoch: str,
) -> dagger.Container:
    """Return the image of an application.

    Args:
        runtime: the runtime image, with the packages that the application needs.
        dependencies: the build image with the environment of its dependencies.
        project: what else it has below HOME.
        entrypoint: the words that start it.
        identity: what it says about itself.
        epoch: the time that dates what is written, in seconds since 1970.
    """
    return (
        # Two layers: a change of the source leaves the lower one as it is.
        runtime.with_env_variable(EPOCH, epoch)
        .with_directory(HOME, dependencies.directory(HOME))
        .with_directory(HOME, project)
        .with_env_variable("VIRTUAL_ENV", ENVIRONMENT)
        .with_env_variable("PATH", f"{ENVIRONMENT}/bin:${{PATH}}", expand=True)
        .with_env_variable("PYTHONPATH", HOME)
        .with_new_file(PATH, identity.metadata.render())
        .with_workdir(HOME)
        .with_user(NONROOT_USER)
        .without_default_args()
        .with_entrypoint(list(entrypoint))
        .without_env_variable(EPOCH)
        .with_(with_labels(identity.labels()))
    )
