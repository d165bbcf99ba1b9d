"""Trivy itself over the real images: what stops a release, and what does not."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from dagger import dag

from pipeline.build.assembly import Packed
from pipeline.build.inputs import Build
from pipeline.build.settings import moment
from pipeline.checks import CheckResult
from pipeline.errors import ScanError
from pipeline.gates.scan.findings import Policy, ScanResult, Vulnerability, scan_table
from pipeline.gates.scan.gate_scan import Scanner, describe_scan, gate, prepare, require_safe, scan, scan_packed
from tests.trust import databases
from tests.trust.databases import ALL, CRITICAL, HIGH, HIGH_FIXED, LOW, NOT_HERE, OF_PYTHON, make, order_of
from tests.trust.statements import FAR, statement, write_vex

KEPT = f"Expires {FAR}."


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scanner(trusting: Build, tmp_path_factory: pytest.TempPathFactory) -> Scanner:
    """Trivy with all that is planted, and no exception."""
    root = tmp_path_factory.mktemp("planted")
    return await prepare(trusting, order_of(make(root / "db", *ALL)), moment(), root)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scanned(packed: list[Packed], trusting: Build, scanner: Scanner) -> dict[str, ScanResult]:
    """All images, by their names."""
    return {one.image: one for one in await scan_packed(packed, trusting, scanner)}


def of(scanned: ScanResult, planted: databases.Planted) -> list[Vulnerability]:
    return [finding for finding in scanned.findings if finding.vulnerability == planted.id]


def test_every_image_is_scanned(scanned: dict[str, ScanResult], packed: list[Packed]) -> None:
    assert {name: one.digest for name, one in scanned.items()} == {one.image.name: one.archive.digest for one in packed}


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


async def test_a_planted_critical_vulnerability_fails_the_gate(
    packed: list[Packed], trusting: Build, scanner: Scanner
) -> None:
    with pytest.raises(ScanError, match=rf"FAIL +critical +{CRITICAL.id} .*libc6 .* → 99:1, from base"):
        await gate(packed, trusting, scanner)


async def test_what_people_read_says_what_was_looked_up_in_what(
    packed: list[Packed], trusting: Build, tmp_path: Path
) -> None:
    order = order_of(make(tmp_path / "db", LOW, HIGH, *NOT_HERE))
    text = describe_scan(await scan(["ska-base"], trusting, order, moment(), tmp_path))
    assert re.fullmatch(
        r"Trivy 0\.76\.0, database of 20\S+Z from --vulnerability-db-directory\n"
        r"ska-base  (debian|ubuntu) \S+, \d+ packages\n"
        r"  pass  1 high: without a fix, or not grave enough to stop a release\n"
        r"  pass  security-updates: \d+ packages, none behind .*\n",
        text,
    )


async def test_a_part_of_the_images_is_traced_to_parents_that_are_not_asked_for(
    packed: list[Packed], trusting: Build, scanner: Scanner
) -> None:
    (last,) = await scan_packed(packed[-2:-1], trusting, scanner)
    assert {one.origin for one in last.findings} == {"base", "ska-build"}


async def test_settings_say_what_stops(packed: list[Packed], trusting: Build, scanner: Scanner) -> None:
    strict = replace(scanner, policy=Policy(any="high", fixable="low"))
    (base,) = await scan_packed(packed[:1], trusting, strict)
    assert {one.stops for one in of(base, HIGH)} == {True}


async def test_an_honest_exception_lets_the_images_pass(packed: list[Packed], trusting: Build, tmp_path: Path) -> None:
    scanner = await _excepting(trusting, tmp_path)
    scanned = await gate(packed, trusting, scanner)
    assert {one.exemption is not None for image in scanned for one in image.findings} == {True}
    assert f"except critical  {CRITICAL.id}" in scan_table(scanned)


async def test_an_exception_of_what_no_image_has_fails_the_gate(
    packed: list[Packed], trusting: Build, tmp_path: Path
) -> None:
    nowhere = {"@id": "pkg:oci/ska-none", "subcomponents": [{"@id": "pkg:deb/debian/libc6"}]}
    scanner = await _excepting(trusting, tmp_path, statement(CRITICAL.id, products=[nowhere], status_notes=KEPT))
    with pytest.raises(ScanError, match="for pkg:deb/debian/libc6 in ska-none matches no finding in any image"):
        await gate(packed, trusting, scanner)


async def test_an_exception_in_one_image_holds_in_no_other(
    packed: list[Packed], trusting: Build, scanner: Scanner, tmp_path: Path
) -> None:
    parts = [{"@id": f"pkg:deb/{system}/libc6"} for system in ("debian", "ubuntu")]
    products = [{"@id": "pkg:oci/ska-python", "subcomponents": parts}]
    vex = write_vex(tmp_path / "vex", statement(CRITICAL.id, products=products, status_notes=KEPT))
    exempted = replace(scanner, exemptions=(await _prepared(trusting, tmp_path, vex)).exemptions)
    found = await scan_packed([packed[0], packed[-1]], trusting, exempted)
    libc6 = {one.image: [f.stops for f in of(one, CRITICAL) if f.package == "libc6"] for one in found}
    assert libc6 == {"ska-base": [True], "ska-python": [False]}


async def test_an_image_whose_distribution_trivy_does_not_know_is_refused(
    packed: list[Packed], trusting: Build, scanner: Scanner
) -> None:
    # Trivy finds nothing in it, and ends well.
    packages = trusting.base.container.directory("/var/lib/dpkg")
    container = dag.container().with_directory("/var/lib/dpkg", packages)
    with pytest.raises(ScanError, match="recognises no distribution with packages in ska-base"):
        await gate([replace(packed[0], tarball=container.as_tarball())], trusting, scanner)


def test_a_security_update_that_is_pending_stops(scanned: dict[str, ScanResult]) -> None:
    pending = CheckResult("security-updates", False, "zlib1g: expected 2, found 1")
    with pytest.raises(ScanError, match="FAIL  security-updates: zlib1g: expected 2, found 1"):
        require_safe([replace(scanned["ska-base"], findings=(), updates=pending)])


def test_the_result_is_json(scanned: dict[str, ScanResult]) -> None:
    document = scanned["ska-base"].document()
    assert (document["image"], document["passed"], document["findings"][0]["vulnerability"]) == (
        "ska-base",
        False,
        CRITICAL.id,
    )


async def _excepting(trusting: Build, directory: Path, *more: object) -> Scanner:
    packages = [
        f"pkg:deb/{s}/{p}" for s in (_system(trusting),) for p in ("libc6", "libc-bin", "libc6-dev", "libc-dev-bin")
    ]
    vex = write_vex(directory / "vex", statement(CRITICAL.id, *packages, status_notes=KEPT), *more)
    return await _prepared(trusting, directory, vex)


async def _prepared(trusting: Build, directory: Path, vex: Path) -> Scanner:
    return await prepare(trusting, order_of(make(directory / "db", CRITICAL)), moment(), vex)


def _system(trusting: Build) -> str:
    return "ubuntu" if "ubuntu" in trusting.base.reference else "debian"
