"""Trivy itself over the real images: what stops a release, and what does not."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from dagger import dag

from pipeline.build.assembly import BuiltImage, open_images
from pipeline.build.inputs import Build
from pipeline.build.settings import moment
from pipeline.checks import CheckResult
from pipeline.errors import GateError
from pipeline.gates.definition import GateInputs
from pipeline.gates.hold import hold, require_passed, table
from pipeline.gates.scan.findings import Policy, ScanResult, Vulnerability
from pipeline.gates.scan.gate_scan import SCAN, Scanner, open_scanner, scan
from pipeline.gates.scan.scanned import result_of
from tests.built_images import ready
from tests.trust import databases
from tests.trust.databases import ALL, CRITICAL, HIGH, HIGH_FIXED, LOW, NOT_HERE, OF_PYTHON, make, order_of
from tests.trust.statements import FAR, statement, write_vex

KEPT = f"Expires {FAR}."


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scanner(trusting: Build, tmp_path_factory: pytest.TempPathFactory) -> Scanner:
    """Trivy with all that is planted, and no exception."""
    root = tmp_path_factory.mktemp("planted")
    return await open_scanner(GateInputs(trusting, moment, order_of(make(root / "db", *ALL)), root))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scanned(images: list[BuiltImage], scanner: Scanner) -> dict[str, ScanResult]:
    """All images, by their names."""
    return {one.image: one for one in await scan(images, scanner)}


def subjects(scanned: ScanResult) -> set[str]:
    """Return what the problems of an image are about."""
    return {problem.subject for problem in result_of(scanned, "", "", {}).problems}


def of(scanned: ScanResult, planted: databases.Planted) -> list[Vulnerability]:
    return [finding for finding in scanned.findings if finding.vulnerability == planted.id]


def test_every_image_is_scanned(scanned: dict[str, ScanResult], images: list[BuiltImage]) -> None:
    assert list(scanned) == [one.name for one in images]


def test_what_is_planted_is_found_and_nothing_else(scanned: dict[str, ScanResult]) -> None:
    found = {finding.vulnerability for one in scanned.values() for finding in one.findings}
    assert found == {one.id for one in ALL} - {one.id for one in NOT_HERE}


@pytest.mark.parametrize(
    ("planted", "stops"), [(CRITICAL, True), (HIGH_FIXED, True), (HIGH, False), (LOW, False), (OF_PYTHON, True)]
)
def test_the_critical_and_the_high_that_have_a_fix_stop(
    scanned: dict[str, ScanResult], planted: databases.Planted, stops: bool
) -> None:
    assert {finding.stops for finding in of(scanned["ska-build-python"], planted)} == {stops}


@pytest.mark.parametrize(
    ("image", "planted", "package", "origin"),
    [
        ("ska-base", CRITICAL, "libc6", "base"),
        ("ska-python", CRITICAL, "libc6", "base"),
        ("ska-build-python", CRITICAL, "libc6-dev", "ska-build"),
        ("ska-build-python", OF_PYTHON, "requests", "ska-build"),
        ("ska-python", LOW, "python3", "ska-python"),
    ],
)
def test_a_finding_says_which_image_it_comes_from_first(
    scanned: dict[str, ScanResult], image: str, planted: databases.Planted, package: str, origin: str
) -> None:
    assert {one.origin for one in of(scanned[image], planted) if one.package == package} == {origin}


def test_the_result_holds_the_check_that_needs_no_database(scanned: dict[str, ScanResult]) -> None:
    assert {(one.updates.name, one.updates.passed) for one in scanned.values()} == {("security-updates", True)}


def test_a_planted_critical_vulnerability_fails_the_gate(scanned: dict[str, ScanResult]) -> None:
    with pytest.raises(
        GateError, match=rf"FAIL +{CRITICAL.id} +critical in libc-bin, libc6 .* → 99:1, from base: update it, or except"
    ):
        require_passed([result_of(scanned["ska-base"], "", "", {})])


async def test_what_people_read_says_what_was_looked_up_in_what(trusting: Build, tmp_path: Path) -> None:
    inputs = GateInputs(trusting, moment, order_of(make(tmp_path / "db", LOW, HIGH, *NOT_HERE)), tmp_path)
    assert re.fullmatch(
        r"ska-base  scan\n"
        r"  pass    Trivy 0\.76\.0      database of 20\S+Z from --vulnerability-db-directory\n"
        r"  pass    (debian|ubuntu) \S+ +\d+ packages; 1 high: without a fix, or not grave enough to stop a release\n"
        r"  pass    security-updates  \d+ packages, none behind .*\n",
        table(await hold([SCAN], ["ska-base"], inputs)),
    )


async def test_a_part_of_the_images_is_traced_to_parents_that_are_not_asked_for(
    images: list[BuiltImage], scanner: Scanner
) -> None:
    (last,) = await scan(images[-2:-1], scanner)
    assert {one.origin for one in last.findings} == {"base", "ska-build"}


async def test_settings_say_what_stops(images: list[BuiltImage], scanner: Scanner) -> None:
    strict = replace(scanner, policy=Policy(any="high", fixable="low"))
    (base,) = await scan(images[:1], strict)
    assert {one.stops for one in of(base, HIGH)} == {True}


async def test_an_honest_exception_lets_the_images_pass(
    images: list[BuiltImage], trusting: Build, tmp_path: Path
) -> None:
    scanned = await scan(images, await _excepting(trusting, tmp_path))
    assert {one.exemption is not None for image in scanned for one in image.findings} == {True}
    results = [result_of(one, "", "", {}) for one in scanned]
    require_passed(results)
    assert re.search(rf"^  except  {CRITICAL.id} +critical in .*: vulnerable_code_not_in", table(results), re.MULTILINE)


async def test_an_exception_of_what_no_image_has_fails_the_gate(
    images: list[BuiltImage], trusting: Build, tmp_path: Path
) -> None:
    nothing = {"@id": "pkg:oci/ska-python", "subcomponents": [{"@id": "pkg:deb/debian/not-installed"}]}
    scanner = await _excepting(trusting, tmp_path, statement(CRITICAL.id, products=[nothing], status_notes=KEPT))
    scanned = {one.image: one for one in await scan(images, scanner)}
    (problem,) = scanned.pop("ska-python").problems
    assert problem.sentence == (
        f"one.json: the exception of {CRITICAL.id} for pkg:deb/debian/not-installed in ska-python matches no finding "
        "in any image of ubuntu22; remove the statement, or let it name the image of another line"
    )
    assert {one.problems for one in scanned.values()} == {()}


async def test_an_exception_in_one_image_holds_in_no_other(
    images: list[BuiltImage], trusting: Build, scanner: Scanner, tmp_path: Path
) -> None:
    parts = [{"@id": f"pkg:deb/{system}/libc6"} for system in ("debian", "ubuntu")]
    products = [{"@id": "pkg:oci/ska-python", "subcomponents": parts}]
    vex = write_vex(tmp_path / "vex", statement(CRITICAL.id, products=products, status_notes=KEPT))
    exempted = replace(scanner, exemptions=(await _prepared(trusting, tmp_path, vex)).exemptions)
    found = await scan([images[0], images[-1]], exempted)
    libc6 = {one.image: [f.stops for f in of(one, CRITICAL) if f.package == "libc6"] for one in found}
    assert libc6 == {"ska-base": [True], "ska-python": [False]}


async def test_an_image_whose_distribution_trivy_does_not_know_is_refused(trusting: Build, scanner: Scanner) -> None:
    # Trivy finds nothing in it, and ends well.
    packages = trusting.workbench.container.directory("/var/lib/dpkg")
    container = dag.container().with_directory("/var/lib/dpkg", packages)
    (image,) = open_images(["ska-base"], trusting)
    (found,) = await scan([replace(image, packed=ready(container))], scanner)
    result = result_of(found, "", "", {})
    assert "recognises no distribution with packages in ska-base" in result.problems[0].sentence
    assert result.predicates == ()


async def test_an_archive_that_trivy_cannot_read_is_refused(trusting: Build, scanner: Scanner) -> None:
    (image,) = open_images(["ska-base"], trusting)
    # What an image holds decides neither whether the scan ends nor whether the others are scanned.
    hostile = dag.container().with_new_file("/var/lib/dpkg/status", "Package: a\nVersion: \x00\n\n")
    (found,) = await scan([replace(image, packed=ready(hostile))], scanner)
    assert subjects(found) == {"Trivy"}


def test_a_security_update_that_is_pending_stops(scanned: dict[str, ScanResult]) -> None:
    pending = CheckResult("security-updates", False, "zlib1g: expected 2, found 1")
    found = replace(scanned["ska-base"], findings=(), updates=pending)
    with pytest.raises(GateError, match=r"FAIL    security-updates +zlib1g: expected 2, found 1"):
        require_passed([result_of(found, "", "", {})])


async def test_an_image_without_the_check_of_updates_is_refused(images: list[BuiltImage], scanner: Scanner) -> None:
    (found,) = await scan([replace(images[0], checks={})], scanner)
    assert "security-updates" in subjects(found)


async def _excepting(trusting: Build, directory: Path, *more: object) -> Scanner:
    packages = [
        f"pkg:deb/{s}/{p}" for s in (_system(trusting),) for p in ("libc6", "libc-bin", "libc6-dev", "libc-dev-bin")
    ]
    vex = write_vex(directory / "vex", statement(CRITICAL.id, *packages, status_notes=KEPT), *more)
    return await _prepared(trusting, directory, vex)


async def _prepared(trusting: Build, directory: Path, vex: Path) -> Scanner:
    return await open_scanner(GateInputs(trusting, moment, order_of(make(directory / "db", CRITICAL)), vex))


def _system(trusting: Build) -> str:
    return "ubuntu" if "ubuntu" in trusting.workbench.reference else "debian"
