"""Which known vulnerabilities went and came, by the signed scans of two releases."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from pipeline.build.inputs import Build
from pipeline.gates.scan.findings import Vulnerability
from pipeline.registry.address import parse_address
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.login import Login
from pipeline.release.notes import Comparison, release_notes
from pipeline.release.push import Candidate, push_release
from pipeline.release.tags import Tags
from pipeline.signing.signature import Trusted
from tests.publish.conftest import NOBODY, Running
from tests.publish.small_release import BASE, CREATED, Recipe, make
from tests.trust.attested import signed_as, statements
from tests.trust.signing import KeyPair, publish_signed

DAY = CREATED[:10]


def found(name: str, package: str = "libc6", version: str = "2.35", severity: str = "low") -> Vulnerability:
    purl = f"pkg:deb/ubuntu/{package}@{version}?arch=amd64&distro=ubuntu-22.04"
    return Vulnerability(name, severity, package, purl, version, "", "base", "", "", stops=False)


OLD = (found("CVE-2026-1", severity="high"), found("CVE-2026-2"), found("CVE-2026-3", "zlib1g"))
NEW = (
    found("CVE-2026-2", version="2.36"),
    found("CVE-2026-4", "zlib1g", severity="medium"),
    found("CVE-2026-4", "zlib1g-dev", severity="medium"),
)


#: The findings of each release; the last ones have a purl that is none.
RELEASES = {
    "1.0.0": OLD,
    "1.0.1": NEW,
    "1.0.2": (replace(NEW[0], purl="libc6"),),
    "1.0.3": (replace(NEW[0], purl=""),),
}
UNSIGNED = "0.9.0"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scanned(
    server: Running, workbench: Build, keys: KeyPair, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Registry]:
    """A registry with releases whose scans differ, and with one that nobody signed."""
    address = parse_address(f"{server.host}/scanned")

    def release(version: str) -> list[Candidate]:
        files = {"ska-base": {"version": version.encode()}}
        return make(tmp_path_factory.mktemp("release"), Recipe(str(address), version, base=BASE, files=files))

    async with open_registry(address, NOBODY) as registry:
        await push_release(registry, Tags(UNSIGNED), release(UNSIGNED))
        for version, findings in RELEASES.items():
            images = release(version)
            stated = statements(images, address, base=BASE, version=version, findings=findings)
            scans = {name: [signed_as(one["scan"])] for name, one in stated.items()}
            await publish_signed(workbench, registry, images, keys.signer, scans, Tags(version))
        yield registry


async def notes(
    workbench: Build,
    registry: Registry,
    trusted: Trusted,
    layout: str = "markdown",
    versions: tuple[str, str] = ("1.0.0", "1.0.1"),
) -> str:
    async def build() -> Build:
        return workbench

    asked = Comparison(*versions, layout)
    return await release_notes(asked, {"registry": str(registry.address)}, Login(), trusted, build)


async def test_vulnerabilities_that_went_and_came_are_told_apart_whatever_the_version_of_their_package(
    workbench: Build, scanned: Registry, keys: KeyPair
) -> None:
    text = await notes(workbench, scanned, keys.trusted)
    base, build, *_ = text.split("\n### ")[1:]
    assert text.startswith(
        f"# From 1.0.0 to 1.0.1\n\nBy the scans of {DAY} and {DAY}, 2 known vulnerabilities went, and 1 came.\n"
        "What came may have been there before, and not been known.\n\n"
    )
    assert (
        "| Vulnerability, gone | severity | packages |\n| --- | --- | --- |\n"
        "| CVE-2026-1 | high | libc6 |\n| CVE-2026-3 | low | zlib1g |\n\n"
        "| Vulnerability, new | severity | packages |\n| --- | --- | --- |\n"
        "| CVE-2026-4 | medium | zlib1g, zlib1g-dev |\n"
    ) in base
    assert "CVE" not in build and "And all that is new in ska-base." in build


async def test_programs_read_the_same(workbench: Build, scanned: Registry, keys: KeyPair) -> None:
    document = json.loads(await notes(workbench, scanned, keys.trusted, "json"))
    scans = document["images"][0]["vulnerabilities"]
    assert (scans["before"], scans["after"], scans["unknown"]) == (DAY, DAY, "")
    assert scans["came"][0] == {"vulnerability": "CVE-2026-4", "severity": "medium", "package": "zlib1g"}
    assert [one["vulnerability"] for one in scans["went"]] == ["CVE-2026-1", "CVE-2026-3"]


async def test_what_somebody_else_signed_is_not_compared(
    workbench: Build, scanned: Registry, other_keys: KeyPair
) -> None:
    text = await notes(workbench, scanned, other_keys.trusted)
    assert "CVE" not in text
    assert (
        "Known vulnerabilities are not compared: the scan of 1.0.0 is not verified (cosign verify-attestation: " in text
    )


async def test_a_release_whose_images_nobody_signed_is_not_compared(
    workbench: Build, scanned: Registry, keys: KeyPair
) -> None:
    text = await notes(workbench, scanned, keys.trusted, versions=(UNSIGNED, "1.0.1"))
    assert "CVE" not in text
    assert (
        f"Known vulnerabilities are not compared: the scan of {UNSIGNED} is not verified (cosign verify-attestation: "
        in text
    )


@pytest.mark.parametrize(
    ("version", "sentence"),
    [("1.0.2", "purl is missing the required"), ("1.0.3", "A purl string argument is required")],
)
async def test_a_statement_of_another_form_is_not_compared(
    workbench: Build, scanned: Registry, keys: KeyPair, version: str, sentence: str
) -> None:
    text = await notes(workbench, scanned, keys.trusted, versions=("1.0.0", version))
    assert sentence in text, text
    assert "CVE" not in text, text
