"""What all parts of the module's main object have in common: the constructor's fields, and what they lead to."""

from dataclasses import dataclass, field, fields
from typing import Annotated, Any

import dagger
from dagger import Doc

from pipeline.build.base import select_base
from pipeline.build.inputs import Build
from pipeline.build.settings import Settings

#: The base of the settings.
AUTO = "auto"


@dataclass(kw_only=True)
class Part:
    """A part of the module's main object."""

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

    async def _build(self) -> Build:
        """Return the settings and the base of this call."""
        settings = Settings(**self._given())
        return Build(settings, await select_base(settings, self.base_archive), tools=self.tools)

    def _given(self) -> dict[str, Any]:
        """Return the settings that were given as arguments of the constructor; the rest is left to weaker sources."""
        values = {one.name: getattr(self, one.name) for one in fields(self) if one.name in Settings.model_fields}
        return {name: value for name, value in values.items() if value and (name, value) != ("base", AUTO)}
