"""The exceptions of a release, as Trivy applies them to an application that build-app makes."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from dagger import dag

from pipeline.build.assembly import open_images
from pipeline.build.inputs import Build
from pipeline.build.settings import moment
from pipeline.gates import SCAN
from pipeline.gates.definition import GateInputs, GateResult
from pipeline.gates.hold import look_at
from pipeline.gates.scan.gate_scan import open_scanner
from pipeline.gates.scan.openvex import OPENVEX, OPENVEX_FILE
from pipeline.gates.trivy import trivy_image
from tests.app.conftest import ProjectFiles, built_app
from tests.trust.databases import CRITICAL, HIGH_FIXED, NOT_HERE, make, order_of
from tests.trust.statements import FAR, statement, write_vex

#: One exception of a package in all images, and one that only holds in an image that applications do not stand on.
EVERYWHERE, ELSEWHERE = CRITICAL.id, HIGH_FIXED.id


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def inputs(build: Build, tools: Path, tmp_path_factory: pytest.TempPathFactory) -> GateInputs:
    """A scan with two planted vulnerabilities and two exceptions."""
    root = tmp_path_factory.mktemp("exceptions")
    kept = {"status_notes": f"Expires {FAR}."}
    of_one = [{"@id": "pkg:oci/ska-build", "subcomponents": [{"@id": "pkg:deb/debian/zlib1g"}]}]
    exceptions = (
        statement(EVERYWHERE, "pkg:deb/debian/libc6", "pkg:deb/debian/libc-bin", **kept),
        statement(ELSEWHERE, products=of_one, **kept),
    )
    equipped = dataclasses.replace(build, tools=dag.host().directory(str(tools)))
    database = order_of(make(root / "database", CRITICAL, HIGH_FIXED, *NOT_HERE))
    return GateInputs(equipped, moment, database, write_vex(root, *exceptions))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def results(inputs: GateInputs) -> Mapping[str, GateResult]:
    """The results of the scan by the images' names."""
    images = open_images(("ska-base", "ska-python", "ska-build"), inputs.build)
    return {one.image: one for one in await look_at([await SCAN.prepare(inputs)], images)}


def vex_of(result: GateResult) -> dict[str, Any]:
    return dict(json.loads(result.files[OPENVEX_FILE]))


def excepted(document: Mapping[str, Any]) -> set[str]:
    return {one["vulnerability"]["name"] for one in document["statements"]}


def test_the_document_names_packages_with_their_versions(results: Mapping[str, GateResult]) -> None:
    document = vex_of(results["ska-python"])
    purls = [product["@id"] for one in document["statements"] for product in one["products"]]
    assert purls
    assert [purl for purl in purls if "@" not in purl] == []


def test_what_another_image_has_without_an_exception_is_not_in_the_document_of_all(
    results: Mapping[str, GateResult],
) -> None:
    assert excepted(vex_of(results["ska-python"])) == {EVERYWHERE}


def test_an_image_is_attested_with_its_own_exceptions(results: Mapping[str, GateResult]) -> None:
    attested = {
        name: {id_ for one in result.predicates if one.type == OPENVEX for id_ in excepted(one.content)}
        for name, result in results.items()
    }
    assert attested["ska-python"] == {EVERYWHERE}
    assert attested["ska-build"] == {EVERYWHERE, ELSEWHERE}


async def test_trivy_hides_in_an_application_what_is_excepted_and_shows_the_rest(
    project: ProjectFiles, inputs: GateInputs, results: Mapping[str, GateResult]
) -> None:
    archive = (await built_app(project.order(), inputs.build)).as_tarball()
    scanner = await open_scanner(inputs)
    document = dag.file(OPENVEX_FILE, results["ska-python"].files[OPENVEX_FILE])
    container = scanner.trivy.container.with_mounted_file("/mnt/openvex.json", document)
    options = ("--scanners", "vuln")

    async def found(*vex: str) -> set[str]:
        (text,) = await trivy_image(container, archive, "app: scan", ["json"], *options, *vex)
        listed = [one for result in json.loads(text)["Results"] for one in result.get("Vulnerabilities") or ()]
        return {one["VulnerabilityID"] for one in listed}

    assert await found() == {EVERYWHERE, ELSEWHERE}
    assert await found("--vex", "/mnt/openvex.json") == {ELSEWHERE}
