"""The attestations of small releases, written by the functions that write it of real ones."""

import json
from collections.abc import Iterable
from typing import Any

from pipeline.build.settings import Settings
from pipeline.checks import CheckResult
from pipeline.evidence.provenance import Run, provenance_of
from pipeline.gates import gate_checks
from pipeline.gates.audit import audited
from pipeline.gates.audit.audited import Audited
from pipeline.gates.definition import Problem
from pipeline.gates.sbom import gate_sbom
from pipeline.gates.sbom.fixed import Described
from pipeline.gates.sbom.gate_sbom import Sbom
from pipeline.gates.scan import scanned
from pipeline.gates.scan.findings import ScanResult, Vulnerability
from pipeline.release.push import Candidate
from pipeline.signing.attestation import Attestation
from pipeline.statement import Predicate
from tests.built_images import RULES, TRIVY, build_on
from tests.publish.small_release import CREATED

RUN = Run("linux/amd64", "v0.21.8", CREATED, CREATED)
PACKAGE = "pkg:deb/ubuntu/libc6@2.35"
#: What is stated of an image by these names, in the order in which it is signed.
KINDS = ("provenance", "checks", "cyclonedx", "spdx", "audit", "scan")


def statements(
    images: Iterable[Candidate],
    registry: object,
    *,
    base: str,
    version: str = "1.0.0",
    extra_tags: tuple[str, ...] = (),
    findings: tuple[Vulnerability, ...] = (),
    is_hard: bool = True,
    is_right: bool = True,
) -> dict[str, dict[str, Predicate]]:
    """Return what is stated of each image of a release, by the image's name and their own.

    Args:
        images: parents before children.
        registry: that the images name.
        base: what the first is built from.
        version: of the release.
        extra_tags: its other tags.
        findings: of the scan.
        is_hard: whether the audit passed.
        is_right: whether the checks passed.
    """
    settings = Settings(registry=str(registry), version=version, created=CREATED, base=base, revision="c" * 40)
    build = build_on(settings, base, extra_tags)
    digests = {image.name: image.digest for image in images}

    def of(name: str, digest: str) -> dict[str, Predicate]:
        problems = () if is_hard else (Problem("xccdf_rule", "fail, not in the baseline"),)
        outcomes = {"xccdf_rule": "pass" if is_hard else "fail"}
        updates = CheckResult("security-updates", is_right, "what was found")
        looked_up = ScanResult(name, "ubuntu 22.04", 1, TRIVY, "a.example/db", CREATED, findings, updates)
        results = (
            gate_checks.result_of(name, (updates,), build),
            gate_sbom.result_of(_sbom(Described(name, digest, CREATED, settings.source)), TRIVY),
            audited.result_of(Audited(name, "ubuntu-22.04", RULES, outcomes), problems, build),
            scanned.result_of(looked_up, CREATED, CREATED, {}),
        )
        listed = [
            provenance_of(name, digests, build, RUN),
            *(predicate for result in results for predicate in result.predicates),
        ]
        return dict(zip(KINDS, listed, strict=True))

    return {name: of(name, digest) for name, digest in digests.items()}


def signed_as(predicate: Predicate, **changes: Any) -> Attestation:
    """Return what is signed of a predicate, with fields of it changed."""
    content = {**json.loads(predicate.encoded()), **changes}
    return Attestation(predicate.type, json.dumps(content).encode())


def complete(images: Iterable[Candidate], registry: object, **differs: Any) -> dict[str, list[Attestation]]:
    """Return all that must be signed of the images of a final version, by their names."""
    return {
        name: [signed_as(one) for one in kinds.values()]
        for name, kinds in statements(images, registry, **differs).items()
    }


def _sbom(image: Described) -> Sbom:
    cyclonedx = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {"component": {"name": image.name, "version": image.digest, "purl": image.purl}},
        "components": [{"name": "libc6", "purl": PACKAGE}],
    }
    spdx = {
        "spdxVersion": "SPDX-2.3",
        "name": image.name,
        "packages": [
            {"name": image.name, "versionInfo": image.digest, "primaryPackagePurpose": "CONTAINER"},
            {"name": "libc6", "primaryPackagePurpose": "LIBRARY"},
        ],
    }
    return Sbom(image.name, json.dumps(cyclonedx), json.dumps(spdx), ())
