"""The attestations of small releases, written by the functions that write it of real ones."""

import json
from collections.abc import Iterable
from typing import Any

from dagger import dag

from pipeline.build.assembly import Finished
from pipeline.build.build_report import Archive, CheckedImage
from pipeline.build.inputs import Base, Build
from pipeline.build.settings import Settings
from pipeline.catalogue.lookup import by_name
from pipeline.checks import CheckResult
from pipeline.evidence.provenance import Run, provenance_of
from pipeline.evidence.results import of_audit, of_checks, of_sbom, of_scan
from pipeline.evidence.statement import Statement
from pipeline.gates.audit.audited import Audited
from pipeline.gates.sbom.fixed import Described
from pipeline.gates.sbom.gate_sbom import Sbom
from pipeline.gates.scan.findings import ScanResult, Vulnerability
from pipeline.release.push import Candidate
from pipeline.signing.attestation import Attestation
from tests.publish.small_release import CREATED

RUN = Run("linux/amd64", "v0.21.8", CREATED, CREATED)
PACKAGE = "pkg:deb/ubuntu/libc6@2.35"
#: The statements of an image by these names, in the order in which they are signed.
KINDS = ("provenance", "cyclonedx", "spdx", "checks", "audit", "scan")


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
) -> dict[str, dict[str, Statement]]:
    """Return the statements on each image of a release, by the image's name and their own.

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
    build = Build(settings, Base(dag.container(), base), extra_tags)
    digests = {image.name: image.digest for image in images}
    provenance = provenance_of([_finished(name, digest) for name, digest in digests.items()], build, RUN)

    def of(name: str, digest: str) -> dict[str, Statement]:
        problems = () if is_hard else ("xccdf_rule: fail, not in the baseline",)
        outcomes = {"xccdf_rule": "pass" if is_hard else "fail"}
        audited = Audited(name, "ubuntu-22.04", "profile", "ssg-ubuntu2204-ds.xml", outcomes, problems)
        updates = CheckResult("security-updates", is_right, "what was found")
        scanned = ScanResult(
            name, digest, "ubuntu 22.04", 1, "Trivy 0.76.0", "a.example/db", CREATED, findings, updates
        )
        listed = (
            provenance[name],
            *of_sbom(_sbom(Described(name, digest, CREATED, settings.source)), build),
            of_checks(CheckedImage(by_name()[name], (updates,)), digest, build),
            of_audit(audited, digest, build),
            of_scan(scanned, build, CREATED, CREATED),
        )
        return dict(zip(KINDS, listed, strict=True))

    return {name: of(name, digest) for name, digest in digests.items()}


def signed_as(statement: Statement, **changes: Any) -> Attestation:
    """Return what is signed of a statement, with fields of its predicate changed."""
    predicate = {**json.loads(statement.predicate_json()), **changes}
    return Attestation(statement.predicate_type, json.dumps(predicate).encode())


def complete(images: Iterable[Candidate], registry: object, **differs: Any) -> dict[str, list[Attestation]]:
    """Return all that must be signed of the images of a final version, by their names."""
    return {
        name: [signed_as(one) for one in kinds.values()]
        for name, kinds in statements(images, registry, **differs).items()
    }


def _finished(name: str, digest: str) -> Finished:
    return Finished(by_name()[name], dag.container(), dag.container().as_tarball(), Archive(digest, 1, 1, ()))


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
    return Sbom(image.name, image.digest, json.dumps(cyclonedx), json.dumps(spdx), ())
