"""SBOMs of the four images, by the real Trivy: complete, valid, and always the same."""

import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import dagger
import pytest
import pytest_asyncio
from dagger import dag
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from pipeline.build.assembly import BuiltImage
from pipeline.build.inputs import Build
from pipeline.build.settings import moment
from pipeline.gates.definition import GateInputs, GateResult
from pipeline.gates.sbom.gate_sbom import SBOM, Sbom, describe, problems_of
from pipeline.gates.sbom.inventory import Package, of_purl, packages_of_cyclonedx, packages_of_spdx
from pipeline.gates.trivy import Trivy
from tests.built_images import OF_ONE_LINE, ready
from tests.conftest import Built
from tests.images.sabotage import shell

IMAGES = sorted(OF_ONE_LINE)
DPKG = r"dpkg-query --show --showformat='${Package} ${Version} ${Architecture}\n'"
#: Every Python environment of the image speaks for itself.
ENVIRONMENTS = """
for python in /usr/lib/pipx/shared/bin/python /usr/lib/pipx/venvs/*/bin/python; do
    if test -x "$python"; then
        "$python" -I -c '
import importlib.metadata, sysconfig
for found in importlib.metadata.distributions(path=[sysconfig.get_path("purelib")]):
    print(found.metadata["Name"], found.version)'
    fi
done
"""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def finished(images: list[BuiltImage]) -> dict[str, BuiltImage]:
    """The images by their names."""
    return {image.name: image for image in images}


@dataclass(frozen=True)
class Changed(BuiltImage):
    """An image that is not what its archive holds."""

    held: dagger.File

    async def tarball(self) -> dagger.File:
        return self.held


def changed(image: BuiltImage, container: dagger.Container, held: dagger.File) -> Changed:
    return Changed(image.image, image.build, ready(container), image.packed, image.archive, image.checks, held)


async def sabotaged(image: BuiltImage, script: str, trusting: Build) -> GateResult:
    """Change an image behind Trivy's back, and hold it against the gate."""
    container = (await image.container.get()).with_(shell(script))
    look = await SBOM.prepare(GateInputs(trusting, moment))
    (result,) = await look([changed(image, container, await image.tarball())])
    return result


def sentences(result: GateResult) -> str:
    return "\n".join(f"{one.subject} {one.sentence}" for one in result.problems)


async def _listed(image: BuiltImage, script: str) -> list[str]:
    return (await (await image.container.get()).with_exec(["sh", "-euc", script, "list"]).stdout()).splitlines()


def _places(one: Sbom) -> list[tuple[str, str]]:
    """Return the Python distributions of an SBOM, each with the file that names it."""
    return [
        (f"{component['name']} {component['version']}", file["value"])
        for component in json.loads(one.cyclonedx)["components"]
        if component.get("purl", "").startswith("pkg:pypi/")
        for file in component["properties"]
        if file["name"] == "aquasecurity:trivy:FilePath"
    ]


@pytest.mark.parametrize("image", IMAGES)
async def test_it_lists_exactly_the_packages_that_dpkg_does(
    image: str, finished: dict[str, BuiltImage], sboms: dict[str, Sbom]
) -> None:
    listing = sorted(await _listed(finished[image], DPKG))
    for listed in (packages_of_cyclonedx(sboms[image].cyclonedx), packages_of_spdx(sboms[image].spdx)):
        debs = (package for package in listed if package.kind == "deb")
        assert sorted(f"{one.name} {one.version} {one.architecture}" for one in debs) == listing


@pytest.mark.parametrize("image", IMAGES)
async def test_it_lists_exactly_the_distributions_that_python_s_environments_do(
    image: str, finished: dict[str, BuiltImage], sboms: dict[str, Sbom]
) -> None:
    listing = await _listed(finished[image], ENVIRONMENTS)
    assert bool(listing) == image.startswith("ska-build")
    assert Counter(name for name, file in _places(sboms[image]) if "/_vendor/" not in file) == Counter(listing)


async def test_apt_s_python_packages_are_listed_once(finished: dict[str, BuiltImage], sboms: dict[str, Sbom]) -> None:
    script = 'python3 -c \'import importlib.metadata as m; print(m.distribution("pip").locate_file(""))\''
    (place,) = await _listed(finished["ska-build"], script)
    assert [file for _, file in _places(sboms["ska-build"]) if f"/{file}".startswith(f"{place}/")] == []


@pytest.mark.parametrize("image", IMAGES)
def test_its_cyclonedx_is_valid(image: str, sboms: dict[str, Sbom]) -> None:
    # It compiles grammars of addresses for seconds, which every run of any test would spend.
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(sboms[image].cyclonedx) is None


@pytest.mark.parametrize("image", IMAGES)
def test_its_spdx_is_valid(image: str, sboms: dict[str, Sbom], tmp_path: Path) -> None:
    file = tmp_path / f"{image}.spdx.json"
    file.write_text(sboms[image].spdx)
    assert validate_full_spdx_document(parse_file(str(file))) == []


async def test_the_same_image_has_the_same_sbom_through_another_path(
    finished: dict[str, BuiltImage], sboms: dict[str, Sbom], archives: dict[str, Path], trivy: Trivy
) -> None:
    one = finished["ska-build"]
    packed = dag.host().file(str(archives["ska-build"])).with_name("elsewhere.tar")
    # Another container, so that nothing is answered from the store.
    other = replace(trivy, container=trivy.container.with_env_variable("AGAIN", "1"))
    again = await describe(changed(one, await one.container.get(), packed), other)
    assert (again.cyclonedx, again.spdx) == (sboms["ska-build"].cyclonedx, sboms["ska-build"].spdx)


async def test_a_distribution_that_trivy_does_not_list_is_named(
    finished: dict[str, BuiltImage], trusting: Build
) -> None:
    place = "/opt/forgotten-1.0.dist-info"
    plant = f"mkdir {place}; printf 'Metadata-Version: 2.1\\nName: forgotten\\nVersion: 1.0\\n' >{place}/METADATA"
    result = await sabotaged(finished["ska-build"], plant, trusting)
    assert re.search(
        r"^ska-build\.cdx\.json is not complete: .* lacks pypi forgotten 1\.0;", sentences(result), re.MULTILINE
    )


async def test_crates_of_a_program_that_is_none_any_more_are_named(
    finished: dict[str, BuiltImage], trusting: Build
) -> None:
    result = await sabotaged(finished["ska-build"], "chmod a-x /usr/lib/pipx/venvs/uv/bin/uv", trusting)
    assert re.search(r"it lists cargo \S+ \S+, .* beyond that", sentences(result))


async def test_a_package_that_was_removed_behind_trivy_s_back_is_named(
    finished: dict[str, BuiltImage], trusting: Build
) -> None:
    result = await sabotaged(finished["ska-base"], "dpkg --purge --force-all hostname", trusting)
    assert re.search(r"it lists deb hostname \S+ \(\w+\) beyond that", sentences(result))


async def test_a_distribution_without_a_python_to_ask_is_a_problem(
    finished: dict[str, BuiltImage], trusting: Build
) -> None:
    result = await sabotaged(finished["ska-base"], "mkdir -p /opt/found-1.0.dist-info", trusting)
    assert "There is no python3 in the image that would tell of /opt/found-1.0.dist-info." in sentences(result)
    assert (result.part, result.files, result.predicates) == ({"packages": {}, "sboms": []}, {}, ())


@pytest.mark.parametrize("name", ["zlib1g", "poetry"])
def test_a_package_that_is_gone_from_cyclonedx_is_named(name: str, sboms: dict[str, Sbom]) -> None:
    document = json.loads(sboms["ska-build"].cyclonedx)
    document["components"] = [one for one in document["components"] if one["name"] != name]
    (problem,) = problems_of(replace(sboms["ska-build"], cyclonedx=json.dumps(document)))
    assert problem.subject == "ska-build.cdx.json"
    assert re.match(rf"is not complete: .* lacks (deb|pypi) {name} \S+", problem.sentence)


def test_a_package_that_is_gone_from_spdx_is_named(sboms: dict[str, Sbom]) -> None:
    document = json.loads(sboms["ska-base"].spdx)
    document["packages"] = [one for one in document["packages"] if one["name"] != "bash"]
    (problem,) = problems_of(replace(sboms["ska-base"], spdx=json.dumps(document)))
    assert problem.subject == "ska-base.spdx.json"
    assert re.match(r"is not complete: .* lacks deb bash \S+ \(\w+\)", problem.sentence)


def test_a_distribution_in_two_places_is_listed_twice(sboms: dict[str, Sbom]) -> None:
    document = json.loads(sboms["ska-build"].cyclonedx)
    # The system and its files have no purl.
    names = Counter(one["purl"] for one in document["components"] if "purl" in one)
    twice = next(purl for purl, count in names.items() if count > 1)
    assert twice
    document["components"].remove(next(one for one in document["components"] if one.get("purl") == twice))
    (problem,) = problems_of(replace(sboms["ska-build"], cyclonedx=json.dumps(document)))
    assert f"lacks {of_purl(twice)};" in problem.sentence


def test_an_image_that_says_nothing_is_refused(sboms: dict[str, Sbom]) -> None:
    (problem,) = problems_of(replace(sboms["ska-base"], packages=()))
    assert "holds no packages at all" in problem.sentence


def test_a_long_list_of_packages_is_cut(sboms: dict[str, Sbom]) -> None:
    many = tuple(Package("deb", f"package-{number:02}", "1.0", "all") for number in range(13))
    first, second = problems_of(replace(sboms["ska-base"], packages=(*sboms["ska-base"].packages, *many)))
    assert "package-09 1.0 (all) and 3 more;" in first.sentence and first.sentence == second.sentence


def test_the_command_leaves_two_files_an_image(built: Built, store: Path, tools: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipeline", "sbom", "--image", "ska-base", "-o", str(tmp_path / "sbom")]
    options = [
        "--tools",
        str(tools),
        "--store",
        str(store),
        "--created",
        built.report["created"],
        "--progress",
        "plain",
    ]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert (done.returncode, sorted(path.name for path in (tmp_path / "sbom").iterdir())) == (
        0,
        ["ska-base.cdx.json", "ska-base.spdx.json"],
    ), done.stderr
