"""The gate of SBOMs: all packages of an image in CycloneDX and SPDX, compared with the image's own list."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from pipeline.build.assembly import BuiltImage
from pipeline.concurrency import both, concurrently
from pipeline.errors import HoldError
from pipeline.gates.definition import Gate, GateInputs, GateResult, Look, Problem, Row
from pipeline.gates.sbom.fixed import Described, fixed_cyclonedx, fixed_spdx
from pipeline.gates.sbom.inventory import Package, ask_image, packages_of_cyclonedx, packages_of_spdx
from pipeline.gates.tools import UsedTool
from pipeline.gates.trivy import Trivy, open_trivy, trivy_image
from pipeline.statement import Predicate

NAME = "sbom"
CYCLONEDX = "https://cyclonedx.org/bom"
SPDX = "https://spdx.dev/Document"
#: The directory of the files beside the report.
DIRECTORY = "sbom"
_FORMATS = ("cyclonedx", "spdx-json")
#: How many packages a problem names.
_SHOWN = 10


@dataclass(frozen=True)
class Sbom:
    """The SBOM of an image in both formats.

    Args:
        image: the image's name.
        cyclonedx: JSON, https://cyclonedx.org
        spdx: JSON, https://spdx.dev
        packages: the image's own list, sorted; a package appears once for each place where it is installed.
    """

    image: str
    cyclonedx: str
    spdx: str
    packages: tuple[Package, ...]

    @property
    def files(self) -> dict[str, str]:
        """The contents by file name."""
        return {f"{self.image}.cdx.json": self.cyclonedx, f"{self.image}.spdx.json": self.spdx}


async def prepare(inputs: GateInputs) -> Look:
    """Get Trivy, and return the function that examines images with it.

    Raises:
        ToolError: Trivy cannot be fetched.
    """
    trivy = await open_trivy(inputs.build)

    async def look(images: Sequence[BuiltImage]) -> list[GateResult]:
        return await concurrently([partial(_look_at, image, trivy) for image in images])

    return look


async def describe(image: BuiltImage, trivy: Trivy) -> Sbom:
    """List the packages of an image with Trivy and with the image's own package databases.

    Raises:
        HoldError: Trivy cannot read the image, or the image cannot list its packages.
        ValueError, KeyError, TypeError: Trivy's output is malformed.
        dagger.ExecError: the image cannot be built.
    """
    name, settings, tarball = image.name, image.build.settings, await image.tarball()
    (cyclonedx, spdx), packages = await both(
        partial(trivy_image, trivy.container, tarball, f"{name}: describe with Trivy", _FORMATS),
        partial(ask_image, await image.container.get(), name),
    )
    described = Described(name, (await image.archive.get()).digest, settings.created, settings.source)
    return Sbom(name, fixed_cyclonedx(cyclonedx, described), fixed_spdx(spdx, described), packages)


def result_of(sbom: Sbom, tool: UsedTool) -> GateResult:
    """Return the result of an SBOM, with its differences from the image.

    Raises:
        ValueError, KeyError, TypeError: the SBOM is malformed.
    """
    problems = problems_of(sbom)
    kinds = Counter(package.kind for package in sbom.packages)
    count = ", ".join(f"{number} {kind} packages" for kind, number in kinds.items())
    complete = sbom.files.keys() - {problem.subject for problem in problems} if sbom.packages else ()
    return GateResult(
        NAME,
        sbom.image,
        problems=problems,
        rows=tuple(Row("pass", name, count) for name in sbom.files if name in complete),
        part=_part(sbom.packages, sbom.files),
        files={f"{DIRECTORY}/{name}": text for name, text in sbom.files.items()},
        predicates=(
            Predicate(CYCLONEDX, json.loads(sbom.cyclonedx)),
            Predicate(SPDX, json.loads(sbom.spdx)),
        ),
        tools=(tool,),
    )


def problems_of(sbom: Sbom) -> tuple[Problem, ...]:
    """Return the packages that an SBOM and its image list differently, or not equally often."""
    if not sbom.packages:
        return (Problem("packages", "the image says that it holds no packages at all; its dpkg has lost its database"),)
    listed = (packages_of_cyclonedx(sbom.cyclonedx), packages_of_spdx(sbom.spdx))
    found = []
    for name, packages in zip(sbom.files, listed, strict=True):
        missing, foreign = _differences(sbom.packages, packages)
        wrong = [f"lacks {_names(missing)}"] if missing else []
        wrong += [f"lists {_names(foreign)} beyond that"] if foreign else []
        if wrong:
            sentence = f"is not complete: of what the image says of itself it {', and it '.join(wrong)}"
            found.append(Problem(name, f"{sentence}; find out which of the two is wrong"))
    return tuple(found)


async def _look_at(image: BuiltImage, trivy: Trivy) -> GateResult:
    try:
        return result_of(await describe(image, trivy), trivy.tool)
    except HoldError as error:
        return _unknown(image, str(error))
    except (ValueError, KeyError, TypeError) as error:
        return _unknown(image, f"Trivy's SBOM cannot be read ({error!r}).")


def _unknown(image: BuiltImage, sentence: str) -> GateResult:
    return GateResult(NAME, image.name, problems=(Problem("packages", sentence),), part=_part((), ()))


def _part(packages: Iterable[Package], files: Iterable[str]) -> dict[str, object]:
    return {
        "packages": Counter(package.kind for package in packages),
        "sboms": [f"{DIRECTORY}/{name}" for name in files],
    }


def _differences(expected: Sequence[Package], listed: Sequence[Package]) -> tuple[list[Package], list[Package]]:
    """Return the missing and the surplus packages, each as often as it occurs."""
    wanted, found = Counter(expected), Counter(listed)
    return sorted((wanted - found).elements()), sorted((found - wanted).elements())


def _names(packages: Sequence[Package]) -> str:
    more = len(packages) - _SHOWN
    return ", ".join(map(str, packages[:_SHOWN])) + (f" and {more} more" if more > 0 else "")


SBOM = Gate(NAME, prepare, needs_tools=True, attests=(CYCLONEDX, SPDX))
