"""What all parts of the module's main object share: the constructor's fields, and the build that they describe."""

from dataclasses import dataclass, field, fields
from typing import Annotated, Any

import dagger
from dagger import Doc

from pipeline.build.base import select_bases
from pipeline.build.inputs import Build
from pipeline.build.settings import Settings


@dataclass(kw_only=True)
class Part:
    """A part of the module's main object."""

    line: Annotated[
        list[str], Doc("Line to build, as in ubuntu24; may be given again. By default those of the settings.")
    ] = field(default_factory=list)
    base: Annotated[
        list[str],
        Doc(
            "Image to build on instead, with its digest: NAME@sha256:…, or LINE=NAME@sha256:… once for each of several "
            "lines; bootstrap:auto for a stand-in."
        ),
    ] = field(default_factory=list)
    base_archive: Annotated[
        dagger.File | None,
        Doc("Archive to use instead of pulling a line's base: OCI or docker archive, or root file system tarball."),
    ] = None
    version: Annotated[str, Doc("Semantic version of the images, as in 1.2.3; by default the project's.")] = ""
    created: Annotated[
        str,
        Doc("Time of the build in UTC, as in 2026-01-31T12:00:00Z; by default today at 00:00:00Z."),
    ] = ""
    snapshot: Annotated[
        str,
        Doc("Time whose Ubuntu packages are installed, as in 20260131T120000Z, or off; by default a release's day."),
    ] = ""
    team: Annotated[str, Doc("Team responsible for the images; by default that of the settings.")] = ""
    url: Annotated[str, Doc("URL of the images' documentation; by default that of the settings.")] = ""
    source: Annotated[str, Doc("URL of the images' source code; by default that of the settings.")] = ""
    registry: Annotated[
        str,
        Doc("Registry, with a path where there is one, of the images' references; by default that of the settings."),
    ] = ""
    tools: Annotated[
        dagger.Directory | None,
        Doc("Directory of the tools that gates run, instead of their published releases; `make tools` fills one."),
    ] = None
    label: Annotated[list[str], Doc("Additional label of the images, key=value; may be given again.")] = field(
        default_factory=list
    )

    async def _build(self) -> Build:
        """Return the settings and the bases of this call."""
        settings = Settings(**self._given())
        return Build(settings, await select_bases(settings, self.base_archive), tools=self.tools)

    def _given(self) -> dict[str, Any]:
        """Return the settings that were given as arguments of the constructor; the rest is left to weaker sources."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        values["lines"] = values.pop("line")
        return {name: value for name, value in values.items() if value and name in Settings.model_fields}
