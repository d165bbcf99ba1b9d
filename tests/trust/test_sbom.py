"""SBOMs of the four images, by the real Trivy: complete, valid, and always the same."""

import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import dagger
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from dagger import dag
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from pipeline.build.assembly import Finished
from pipeline.build.inputs import Base, Build
from pipeline.catalogue.lookup import by_name
from pipeline.errors import SbomError
from pipeline.gates.sbom import gate_sbom
from pipeline.gates.sbom.gate_sbom import Sbom, require_complete
from pipeline.gates.sbom.inventory import Package, of_purl, packages_of_cyclonedx, packages_of_spdx
from tests.conftest import Built
from tests.images.sabotage import shell

IMAGES = sorted(by_name())
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


async def _said(image: Finished, script: str) -> list[str]:
    return (await image.container.with_exec(["sh", "-euc", script, "said"]).stdout()).splitlines()


def _places(one: Sbom) -> list[tuple[str, str]]:
    """Return the Python distributions of an SBOM, each with the file that told of it."""
    return [
        (f"{component['name']} {component['version']}", file["value"])
        for component in json.loads(one.cyclonedx)["components"]
        if component.get("purl", "").startswith("pkg:pypi/")
        for file in component["properties"]
        if file["name"] == "aquasecurity:trivy:FilePath"
    ]


@pytest.mark.parametrize("image", IMAGES)
async def test_it_lists_exactly_the_packages_that_dpkg_does(
    image: str, finished: dict[str, Finished], sboms: dict[str, Sbom]
) -> None:
    said = sorted(await _said(finished[image], DPKG))
    for listed in (packages_of_cyclonedx(sboms[image].cyclonedx), packages_of_spdx(sboms[image].spdx)):
        debs = (package for package in listed if package.kind == "deb")
        assert sorted(f"{one.name} {one.version} {one.architecture}" for one in debs) == said


@pytest.mark.parametrize("image", IMAGES)
async def test_it_lists_exactly_the_distributions_that_python_s_environments_do(
    image: str, finished: dict[str, Finished], sboms: dict[str, Sbom]
) -> None:
    said = await _said(finished[image], ENVIRONMENTS)
    assert bool(said) == image.startswith("ska-build")
    assert Counter(name for name, file in _places(sboms[image]) if "/_vendor/" not in file) == Counter(said)


async def test_apt_s_python_packages_are_listed_once(finished: dict[str, Finished], sboms: dict[str, Sbom]) -> None:
    script = 'python3 -c \'import importlib.metadata as m; print(m.distribution("pip").locate_file(""))\''
    (place,) = await _said(finished["ska-build"], script)
    assert [file for _, file in _places(sboms["ska-build"]) if f"/{file}".startswith(f"{place}/")] == []


@pytest.mark.parametrize("image", IMAGES)
def test_its_cyclonedx_is_valid(image: str, sboms: dict[str, Sbom]) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(sboms[image].cyclonedx) is None


@pytest.mark.parametrize("image", IMAGES)
def test_its_spdx_is_valid(image: str, sboms: dict[str, Sbom], tmp_path: Path) -> None:
    file = tmp_path / f"{image}.spdx.json"
    file.write_text(sboms[image].spdx)
    assert validate_full_spdx_document(parse_file(str(file))) == []


async def test_the_same_image_has_the_same_sbom_through_another_path(
    finished: dict[str, Finished], sboms: dict[str, Sbom], archives: dict[str, Path], trusting: Build
) -> None:
    one = finished["ska-build"]
    elsewhere = replace(one, tarball=dag.host().file(str(archives["ska-build"])).with_name("elsewhere.tar"))
    # Another container, so that nothing is answered from the store.
    base = Base(trusting.base.container.with_env_variable("AGAIN", "1"), trusting.base.reference)
    (again,) = await gate_sbom.gate([elsewhere], replace(trusting, base=base))
    assert (again.cyclonedx, again.spdx) == (sboms["ska-build"].cyclonedx, sboms["ska-build"].spdx)


async def test_a_distribution_that_trivy_does_not_list_is_named(finished: dict[str, Finished], trusting: Build) -> None:
    place = "/opt/forgotten-1.0.dist-info"
    plant = f"mkdir {place}; printf 'Metadata-Version: 2.1\\nName: forgotten\\nVersion: 1.0\\n' >{place}/METADATA"
    one = replace(finished["ska-build"], container=finished["ska-build"].container.with_(shell(plant)))
    with pytest.raises(SbomError, match=r"ska-build\.cdx\.json is not complete: .* lacks pypi forgotten 1\.0;"):
        await gate_sbom.gate([one], trusting)


async def test_a_package_that_was_removed_behind_trivy_s_back_is_named(
    finished: dict[str, Finished], trusting: Build
) -> None:
    remove = "dpkg --purge --force-all hostname"
    one = replace(finished["ska-base"], container=finished["ska-base"].container.with_(shell(remove)))
    with pytest.raises(SbomError, match=r"it lists deb hostname \S+ \(\w+\) beyond that"):
        await gate_sbom.gate([one], trusting)


async def test_a_distribution_without_a_python_to_ask_is_an_error(
    finished: dict[str, Finished], trusting: Build
) -> None:
    plant = "mkdir -p /opt/found-1.0.dist-info"
    one = replace(finished["ska-base"], container=finished["ska-base"].container.with_(shell(plant)))
    with pytest.raises(dagger.ExecError) as failed:
        await gate_sbom.gate([one], trusting)
    assert failed.value.stderr == "There is no python3 in the image that would tell of /opt/found-1.0.dist-info."


@pytest.mark.parametrize("name", ["zlib1g", "poetry"])
def test_a_package_that_is_gone_from_cyclonedx_is_named(name: str, sboms: dict[str, Sbom]) -> None:
    document = json.loads(sboms["ska-build"].cyclonedx)
    document["components"] = [one for one in document["components"] if one["name"] != name]
    with pytest.raises(SbomError, match=rf"ska-build\.cdx\.json is not complete: .* lacks (deb|pypi) {name} \S+"):
        require_complete(replace(sboms["ska-build"], cyclonedx=json.dumps(document)))


def test_a_package_that_is_gone_from_spdx_is_named(sboms: dict[str, Sbom]) -> None:
    document = json.loads(sboms["ska-base"].spdx)
    document["packages"] = [one for one in document["packages"] if one["name"] != "bash"]
    with pytest.raises(SbomError, match=r"ska-base\.spdx\.json is not complete: .* lacks deb bash \S+ \(\w+\)"):
        require_complete(replace(sboms["ska-base"], spdx=json.dumps(document)))


def test_a_distribution_in_two_places_is_listed_twice(sboms: dict[str, Sbom]) -> None:
    document = json.loads(sboms["ska-build"].cyclonedx)
    names = Counter(one.get("purl") for one in document["components"])
    twice = next(purl for purl, count in names.items() if count > 1)
    assert twice
    document["components"].remove(next(one for one in document["components"] if one.get("purl") == twice))
    with pytest.raises(SbomError, match=rf"lacks {re.escape(str(of_purl(twice)))};"):
        require_complete(replace(sboms["ska-build"], cyclonedx=json.dumps(document)))


def test_an_image_that_says_nothing_is_refused(sboms: dict[str, Sbom]) -> None:
    with pytest.raises(SbomError, match="holds no packages at all"):
        require_complete(replace(sboms["ska-base"], packages=()))


def test_a_long_list_of_packages_is_cut(sboms: dict[str, Sbom]) -> None:
    many = tuple(Package("deb", f"package-{number:02}", "1.0", "all") for number in range(13))
    with pytest.raises(SbomError, match=r"package-09 1\.0 \(all\) and 3 more;"):
        require_complete(replace(sboms["ska-base"], packages=(*sboms["ska-base"].packages, *many)))


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
