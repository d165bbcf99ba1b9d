"""SBOMs: all packages of an image in CycloneDX and SPDX, compared with what the image itself says."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import dagger
from dagger import dag

from pipeline.build.assembly import Finished, finish_images
from pipeline.build.inputs import Build
from pipeline.concurrency import both, concurrently
from pipeline.errors import SbomError
from pipeline.gates.sbom.fixed import Described, fixed_cyclonedx, fixed_spdx
from pipeline.gates.sbom.inventory import Package, ask_image, packages_of_cyclonedx, packages_of_spdx
from pipeline.gates.trivy import trivy_image, with_trivy

_FORMATS = ("cyclonedx", "spdx-json")
#: Of a list of packages in an error.
_SHOWN = 10


@dataclass(frozen=True)
class Sbom:
    """The SBOM of an image, twice.

    Args:
        image: its name.
        digest: of its manifest.
        cyclonedx: JSON, https://cyclonedx.org
        spdx: JSON, https://spdx.dev
        packages: what the image itself says, sorted; one for each place where it is installed.
    """

    image: str
    digest: str
    cyclonedx: str
    spdx: str
    packages: tuple[Package, ...]

    @property
    def files(self) -> dict[str, str]:
        """Contents by the names of files."""
        return {f"{self.image}.cdx.json": self.cyclonedx, f"{self.image}.spdx.json": self.spdx}


async def gate(images: Iterable[Finished], build: Build) -> list[Sbom]:
    """Return the SBOMs of images, all of them complete.

    Args:
        images: that are built and packed.
        build: their settings and base, in which Trivy runs.

    Raises:
        SbomError: an SBOM and its image do not list the same packages.
        ToolError: Trivy cannot be had.
        dagger.ExecError: it fails, or an image cannot be asked.
    """
    container = await with_trivy(build)
    sboms = await concurrently([partial(_describe, image, build, container) for image in images])
    for sbom in sboms:
        require_complete(sbom)
    return sboms


async def sbom_directory(names: Iterable[str], build: Build) -> dagger.Directory:
    """Build images, and return a directory with NAME.cdx.json and NAME.spdx.json for each.

    Args:
        names: of the images; all, where there are none.
        build: the settings and the base.

    Raises:
        UnknownImageError: there is no such image.
        SbomError, ToolError, dagger.ExecError: as `gate`.
    """
    # What is wrong with a tool is known before an image is built.
    await with_trivy(build)
    directory = dag.directory()
    for sbom in await gate(await finish_images(names, build), build):
        for name, contents in sbom.files.items():
            directory = directory.with_new_file(name, contents)
    return directory


def require_complete(sbom: Sbom) -> None:
    """Refuse an SBOM that lists other packages than its image, or lists one more or fewer times.

    Raises:
        SbomError: it does; the packages are named.
    """
    if not sbom.packages:
        raise SbomError(
            f"The image {sbom.image} says that it holds no packages at all; its dpkg has lost its database."
        )
    listed = (packages_of_cyclonedx(sbom.cyclonedx), packages_of_spdx(sbom.spdx))
    for name, packages in zip(sbom.files, listed, strict=True):
        missing, foreign = _differences(sbom.packages, packages)
        wrong = [f"lacks {_names(missing)}"] if missing else []
        wrong += [f"lists {_names(foreign)} beyond that"] if foreign else []
        if wrong:
            raise SbomError(
                f"The SBOM {name} is not complete: of what the image says of itself it {', and it '.join(wrong)}; "
                "publish nothing, and find out which of the two is wrong."
            )


async def _describe(image: Finished, build: Build, container: dagger.Container) -> Sbom:
    name = image.image.name
    found = trivy_image(container, image.tarball, f"{name}: describe with Trivy", _FORMATS)
    texts, packages = await both(partial(_contents, found), partial(ask_image, image.container, name))
    cyclonedx, spdx = texts
    described = Described(name, image.archive.digest, build.settings.created, build.settings.source)
    return Sbom(
        image=name,
        digest=image.archive.digest,
        cyclonedx=fixed_cyclonedx(cyclonedx, described),
        spdx=fixed_spdx(spdx, described),
        packages=packages,
    )


async def _contents(found: dagger.Directory) -> list[str]:
    return [await found.file(name).contents() for name in _FORMATS]


def _differences(expected: Sequence[Package], listed: Sequence[Package]) -> tuple[list[Package], list[Package]]:
    """Return what is missing and what is too much, each as often as it is."""
    wanted, found = Counter(expected), Counter(listed)
    return sorted((wanted - found).elements()), sorted((found - wanted).elements())


def _names(packages: Sequence[Package]) -> str:
    more = len(packages) - _SHOWN
    return ", ".join(map(str, packages[:_SHOWN])) + (f" and {more} more" if more > 0 else "")
