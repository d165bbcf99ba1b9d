"""Statements on what is in an image and on what gates found, each with the predicate that in-toto or cosign has for it.

Source: https://github.com/in-toto/attestation/tree/main/spec/predicates
"""

import json
from collections.abc import Sequence

from pipeline.assembly import Packed
from pipeline.build import Build
from pipeline.report import CheckedImage
from pipeline.trust.provenance import Run, provenance_of
from pipeline.trust.sbom import Sbom, gate
from pipeline.trust.statement import Statement, repository, source_of

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
CYCLONEDX = "https://cyclonedx.org/bom"
SPDX = "https://spdx.dev/Document"


async def state(packed: Sequence[Packed], build: Build, run: Run) -> dict[str, list[Statement]]:
    """Return what can be said of each image, by its name: provenance, SBOMs and the results of its checks.

    Args:
        packed: the images, with the parents of each.
        build: their settings and base.
        run: in which they were built.

    Raises:
        SbomError, ToolError, dagger.ExecError: an SBOM is not complete, or cannot be had.
    """
    provenance = provenance_of(packed, build, run)
    return {
        sbom.image: [provenance[sbom.image], *of_sbom(sbom, build), of_checks(one.checked, sbom.digest, build)]
        for one, sbom in zip(packed, await gate(packed, build), strict=True)
    }


def of_sbom(sbom: Sbom, build: Build) -> tuple[Statement, Statement]:
    """Return the statements on what is in an image: CycloneDX, and SPDX."""
    name = repository(sbom.image, build)
    return (
        Statement(name, sbom.digest, CYCLONEDX, json.loads(sbom.cyclonedx)),
        Statement(name, sbom.digest, SPDX, json.loads(sbom.spdx)),
    )


def of_checks(checked: CheckedImage, digest: str, build: Build) -> Statement:
    """Return the statement on what the checks inside of an image found.

    Args:
        checked: the image and the results.
        digest: of its manifest.
        build: whose settings say what was built.
    """
    passed = [result.name for result in checked.results if result.passed]
    failed = [result.name for result in checked.results if not result.passed]
    predicate = {"result": "FAILED" if failed else "PASSED", "configuration": [source_of(build)], **_url(build)}
    return Statement(
        repository(checked.image.name, build),
        digest,
        TEST_RESULT,
        {**predicate, "passedTests": passed, "warnedTests": [], "failedTests": failed},
    )


def _url(build: Build) -> dict[str, str]:
    job = build.settings.labels.get("CI_JOB_URL", "")
    return {"url": job} if job else {}
