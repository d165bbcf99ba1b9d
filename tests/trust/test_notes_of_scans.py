"""Which known vulnerabilities went and came, by the signed scans of two releases."""

import json
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from pipeline.build.inputs import Build
from pipeline.gates.scan.findings import Vulnerability
from pipeline.registry.registry import Registry
from pipeline.release.login import Login
from pipeline.release.notes import Comparison, release_notes
from pipeline.release.push import push_release
from pipeline.release.tags import Tags
from pipeline.signing.attestation import Attestation
from pipeline.signing.signature import Trusted
from tests.publish.conftest import Maker
from tests.publish.small_release import BASE, CREATED
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


async def publish(
    workbench: Build,
    registry: Registry,
    release: Maker,
    keys: KeyPair,
    version: str,
    *findings: Vulnerability,
    **changes: Any,
) -> None:
    """Publish a release whose scans state these findings, signed; `changes` are of the scans' statements."""
    images = release(version=version, base=BASE, files={"ska-base": {"version": version.encode()}})
    stated = statements(images, registry.address, base=BASE, version=version, findings=findings)
    scans: dict[str, list[Attestation]] = {name: [signed_as(one["scan"], **changes)] for name, one in stated.items()}
    await publish_signed(workbench, registry, images, keys.signer, scans, Tags(version))


async def notes(workbench: Build, registry: Registry, trusted: Trusted, layout: str = "markdown") -> str:
    async def build() -> Build:
        return workbench

    asked = Comparison("1.0.0", "1.0.1", layout)
    return await release_notes(asked, {"registry": str(registry.address)}, Login(), trusted, build)


@pytest_asyncio.fixture
async def two(workbench: Build, registry: Registry, release: Maker, keys: KeyPair) -> Registry:
    """A registry with two releases, whose scans differ."""
    await publish(workbench, registry, release, keys, "1.0.0", *OLD)
    await publish(workbench, registry, release, keys, "1.0.1", *NEW)
    return registry


async def test_vulnerabilities_that_went_and_came_are_told_apart_whatever_the_version_of_their_package(
    workbench: Build, two: Registry, keys: KeyPair
) -> None:
    text = await notes(workbench, two, keys.trusted)
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


async def test_programs_read_the_same(workbench: Build, two: Registry, keys: KeyPair) -> None:
    document = json.loads(await notes(workbench, two, keys.trusted, "json"))
    scans = document["images"][0]["vulnerabilities"]
    assert (scans["before"], scans["after"], scans["unknown"]) == (DAY, DAY, "")
    assert scans["came"][0] == {"vulnerability": "CVE-2026-4", "severity": "medium", "package": "zlib1g"}
    assert [one["vulnerability"] for one in scans["went"]] == ["CVE-2026-1", "CVE-2026-3"]


async def test_what_somebody_else_signed_is_not_compared(workbench: Build, two: Registry, other_keys: KeyPair) -> None:
    text = await notes(workbench, two, other_keys.trusted)
    assert "CVE" not in text
    assert (
        "Known vulnerabilities are not compared: the scan of 1.0.0 is not verified (cosign verify-attestation: " in text
    )


async def test_a_release_whose_images_nobody_signed_is_not_compared(
    workbench: Build, registry: Registry, release: Maker, keys: KeyPair
) -> None:
    await push_release(registry, Tags("1.0.0"), release(base=BASE))
    await publish(workbench, registry, release, keys, "1.0.1", *NEW)
    text = await notes(workbench, registry, keys.trusted)
    assert "CVE" not in text
    assert (
        "Known vulnerabilities are not compared: the scan of 1.0.0 is not verified (cosign verify-attestation: " in text
    )


@pytest.mark.parametrize(
    ("purl", "sentence"), [("libc6", "purl is missing the required"), ("", "A purl string argument is required")]
)
async def test_a_statement_of_another_form_is_not_compared(
    workbench: Build, registry: Registry, release: Maker, keys: KeyPair, purl: str, sentence: str
) -> None:
    await publish(workbench, registry, release, keys, "1.0.0", *OLD)
    await publish(workbench, registry, release, keys, "1.0.1", replace(NEW[0], purl=purl))
    text = await notes(workbench, registry, keys.trusted)
    assert sentence in text, text
    assert "CVE" not in text, text
