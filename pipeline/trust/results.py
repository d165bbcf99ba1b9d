"""Statements on what is in an image and on what gates found, each with the predicate that in-toto or cosign has for it.

Source: https://github.com/in-toto/attestation/tree/main/spec/predicates
"""

import json
from collections.abc import Sequence
from functools import partial

from pipeline.assembly import Packed
from pipeline.build import Build
from pipeline.concurrency import both
from pipeline.report import CheckedImage
from pipeline.trust import audit, sbom
from pipeline.trust.audited import Audited
from pipeline.trust.baseline import HARMLESS, PASS
from pipeline.trust.provenance import Run, provenance_of, tool_descriptor
from pipeline.trust.sbom import Sbom
from pipeline.trust.statement import Statement, repository, source_of
from pipeline.trust.tailoring import DROPPED

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
CYCLONEDX = "https://cyclonedx.org/bom"
SPDX = "https://spdx.dev/Document"


async def state(packed: Sequence[Packed], build: Build, run: Run) -> dict[str, list[Statement]]:
    """Return what can be said of each image, by its name: provenance, SBOMs, the results of its checks and its audit.

    Args:
        packed: the images, with the parents of each.
        build: their settings and base.
        run: in which they were built.

    Raises:
        SbomError, ToolError, dagger.ExecError: an SBOM is not complete, or cannot be had.
        AuditError: an image is not as hard as its baseline, or cannot be audited.
    """
    provenance = provenance_of(packed, build, run)
    sboms, audited = await both(partial(sbom.gate, packed, build), partial(audit.gate, packed, build))
    return {
        of.image: [
            provenance[of.image],
            *of_sbom(of, build),
            of_checks(one.checked, of.digest, build),
            of_audit(hardness, of.digest, build),
        ]
        for one, of, hardness in zip(packed, sboms, audited, strict=True)
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


def of_audit(audited: Audited, digest: str, build: Build) -> Statement:
    """Return the statement on the rules of the CIS benchmark that an image passes.

    A rule that fails and that the baseline knows to fail is a warning; those that are not applicable are not named.

    Args:
        audited: the image, held against the baseline.
        digest: of its manifest.
        build: whose settings say what was built.
    """
    bad = [rule for rule, outcome in audited.outcomes.items() if outcome not in HARMLESS]
    failed = [rule for rule in bad if any(problem.startswith(f"{rule}:") for problem in audited.problems)]
    tailoring = {"name": audited.profile, "annotations": {one.rule: one.reason for one in DROPPED}}
    predicate = {
        "result": "FAILED" if audited.problems else "PASSED",
        "configuration": [source_of(build), tool_descriptor(audited.content), tailoring],
        **_url(build),
        "passedTests": [rule for rule, outcome in audited.outcomes.items() if outcome == PASS],
        "warnedTests": [rule for rule in bad if rule not in failed],
        "failedTests": failed,
    }
    return Statement(repository(audited.image, build), digest, TEST_RESULT, predicate)


def _url(build: Build) -> dict[str, str]:
    job = build.settings.labels.get("CI_JOB_URL", "")
    return {"url": job} if job else {}
