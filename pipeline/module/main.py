"""The base container images of the SKA Observatory: built, checked and described."""

import json
from dataclasses import field
from typing import Annotated, Any

import dagger
from dagger import Doc, check, function, object_type

from pipeline.build.base import select_base
from pipeline.build.chain import chain
from pipeline.build.inputs import Build
from pipeline.build.labelling import metadata_of
from pipeline.build.settings import Settings, moment
from pipeline.catalogue.lookup import by_name, checks_of, find
from pipeline.gates import CHECKS
from pipeline.gates.definition import GateInputs
from pipeline.gates.hold import hold, table
from pipeline.module.fresh import fresh
from pipeline.module.gates import TrustFunctions
from pipeline.module.hints import constructor_without_defaults
from pipeline.module.releases import ReleaseFunctions
from pipeline.release.build_all import build_all

#: The base of the settings.
AUTO = "auto"

ImageName = Annotated[str, Doc("Name of the image, as `images` lists them.")]


@constructor_without_defaults
@object_type
class SkaBaseImages(ReleaseFunctions, TrustFunctions):
    """Builds, checks, publishes and describes the base container images of the SKA Observatory."""

    base: Annotated[
        str,
        Doc("Image that all others are built from, with its digest (NAME@sha256:…); auto is the one of the settings."),
    ] = AUTO
    base_archive: Annotated[
        dagger.File | None,
        Doc("Archive used instead of pulling the base: OCI or docker archive, or root filesystem tarball."),
    ] = None
    version: Annotated[str, Doc("Semantic version of the images, as in 1.2.3; by default the project's.")] = ""
    created: Annotated[
        str,
        Doc("Moment of the build in UTC, as in 2026-01-31T12:00:00Z; by default today at 00:00:00Z."),
    ] = ""
    snapshot: Annotated[
        str,
        Doc("Moment whose Ubuntu packages are taken, as in 20260131T120000Z, or off; by default a release's day."),
    ] = ""
    team: Annotated[str, Doc("Team that answers for the images; by default that of the settings.")] = ""
    url: Annotated[str, Doc("Where the images are documented; by default that of the settings.")] = ""
    source: Annotated[str, Doc("Where the images' source code is; by default that of the settings.")] = ""
    registry: Annotated[
        str,
        Doc("Registry, with a path where there is one, of the images' references; by default that of the settings."),
    ] = ""
    tools: Annotated[
        dagger.Directory | None,
        Doc("Directory of the tools that gates run, used instead of their makers' releases; `make tools` fills one."),
    ] = None
    label: Annotated[list[str], Doc("Further label of the images, key=value; may be given again.")] = field(
        default_factory=list
    )

    @fresh
    async def build_all(self) -> dagger.Directory:
        """Build and check all images.

        Returns a directory with an OCI archive of each image, NAME.tar, and build-report.json.
        When a check fails nothing is returned, and the results of all checks are shown.
        """
        return await build_all(GateInputs(await self._build(), moment))

    @fresh
    async def build(self, image: ImageName) -> dagger.Container:
        """Build one image, without its checks."""
        return chain(image, await self._build())

    @fresh
    async def ska_base(self) -> dagger.Container:
        """Build ska-base: Ubuntu with all security updates, certificates and an unprivileged user."""
        return chain("ska-base", await self._build())

    @fresh
    async def ska_build(self) -> dagger.Container:
        """Build ska-build: Python, pip, pipx, Poetry and a C++ compiler."""
        return chain("ska-build", await self._build())

    @fresh
    async def ska_build_python(self) -> dagger.Container:
        """Build ska-build-python: ska-build with venv, git and Poetry set up for containers."""
        return chain("ska-build-python", await self._build())

    @fresh
    async def ska_python(self) -> dagger.Container:
        """Build ska-python: Python only, to run applications."""
        return chain("ska-python", await self._build())

    @check
    @fresh
    async def check(
        self,
        image: Annotated[list[str] | None, Doc("Image to check; may be given again. By default all.")] = None,
    ) -> str:
        """Build images, run their checks inside of them, and return every result.

        When a check fails the call fails, and the results of all checks are shown.
        """
        return table(await hold([CHECKS], image or (), GateInputs(await self._build(), moment)))

    @fresh
    async def metadata(self, image: ImageName) -> str:
        """Return what /etc/skao.metadata says in an image; nothing is built."""
        return metadata_of(find(image), await self._build()).render()

    @function
    def images(self) -> str:
        """List the images as JSON: name, parent, title, description, size budget in bytes, checks."""
        keys = ("name", "parent", "title", "description", "size_budget")
        listed = [
            {
                **{key: getattr(image, key) for key in keys},
                "checks": [{"name": check.name, "title": check.title} for check in checks_of(image)],
            }
            for image in by_name().values()
        ]
        return json.dumps(listed, indent=2) + "\n"

    async def _build(self) -> Build:
        settings = Settings(**self._given())
        return Build(settings, await select_base(settings, self.base_archive), tools=self.tools)

    def _given(self) -> dict[str, Any]:
        given = {
            "base": "" if self.base == AUTO else self.base,
            "version": self.version,
            "created": self.created,
            "snapshot": self.snapshot,
            "team": self.team,
            "url": self.url,
            "source": self.source,
            "registry": self.registry,
            "label": self.label,
        }
        # What is not given is left to the weaker sources.
        return {key: value for key, value in given.items() if value}
