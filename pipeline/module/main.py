"""The base container images of the SKA Observatory: built, checked and described."""

import json
from typing import Annotated

import dagger
from dagger import Doc, check, function, object_type

from pipeline.build.assembly import only
from pipeline.build.labelling import metadata_of
from pipeline.build.record_contracts import record_contracts
from pipeline.build.settings import moment
from pipeline.catalogue.lookup import by_name, checks_of, the_only
from pipeline.gates import CHECKS
from pipeline.gates.definition import GateInputs
from pipeline.gates.hold import hold, table
from pipeline.module.app_functions import AppFunctions
from pipeline.module.fresh import fresh
from pipeline.module.gates import TrustFunctions
from pipeline.module.hints import constructor_without_defaults
from pipeline.module.releases import ReleaseFunctions
from pipeline.release.build_all import build_all

ImageName = Annotated[str, Doc("Name of the image, as `images` lists them; without a suffix, that of the line.")]


@constructor_without_defaults
@object_type
class SkaBaseImages(AppFunctions, ReleaseFunctions, TrustFunctions):
    """Builds, checks, publishes and describes the base container images of the SKA Observatory."""

    @fresh
    async def build_all(self) -> dagger.Directory:
        """Build and check all images.

        Returns a directory with an OCI archive of each image, NAME.tar, and build-report.json.
        If a check fails, nothing is returned and the results of all checks are shown.
        """
        return await build_all(GateInputs(await self._build(), moment))

    @fresh
    async def build(self, image: ImageName) -> dagger.Container:
        """Build one image, without its checks."""
        return await only(image, await self._build())

    @fresh
    async def ska_base(self) -> dagger.Container:
        """Build ska-base: the distribution with all security updates, certificates and an unprivileged user."""
        return await only("ska-base", await self._build())

    @fresh
    async def ska_build(self) -> dagger.Container:
        """Build ska-build: Python, pip, pipx, Poetry, uv and a C++ compiler."""
        return await only("ska-build", await self._build())

    @fresh
    async def ska_build_python(self) -> dagger.Container:
        """Build ska-build-python: ska-build with venv and git, set up for containers."""
        return await only("ska-build-python", await self._build())

    @fresh
    async def ska_python(self) -> dagger.Container:
        """Build ska-python: Python only, to run applications."""
        return await only("ska-python", await self._build())

    @check
    @fresh
    async def check(
        self,
        image: Annotated[list[str] | None, Doc("Image to check; may be given again. By default all.")] = None,
    ) -> str:
        """Build images, run their checks in them, and return every result.

        If a check fails, the call fails and shows the results of all checks.
        """
        return table(await hold([CHECKS], image or (), GateInputs(await self._build(), moment)))

    @fresh
    async def metadata(self, image: ImageName) -> str:
        """Return the content of an image's /etc/skao.metadata; nothing is built."""
        build = await self._build()
        return metadata_of(the_only(image, build.bases), build).render()

    @fresh
    async def contracts(self) -> dagger.Directory:
        """Build all images, and write down what those that are built on them rely on: their contracts.

        Returns a directory for each distribution, with IMAGE.json and a page. Commit it as pipeline/data/contracts.
        """
        return await record_contracts(await self._build())

    @function
    def images(self) -> str:
        """List the images of all lines as JSON: name, line, its end of life, parent, title, description, size, checks.

        The size is the most that an image's files may take, in bytes.
        """
        keys = ("name", "parent", "title", "description", "size_budget")
        listed = [
            {
                "line": image.line.name,
                "end_of_life": image.line.end_of_life.isoformat(),
                **{key: getattr(image, key) for key in keys},
                "checks": [{"name": check.name, "title": check.title} for check in checks_of(image)],
            }
            for image in by_name().values()
        ]
        return json.dumps(listed, indent=2) + "\n"
