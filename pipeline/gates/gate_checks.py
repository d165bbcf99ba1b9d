"""The gate of checks, which run inside each image; the catalogue lists them."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial

from pipeline.build.assembly import BuiltImage
from pipeline.build.inputs import Build
from pipeline.checks import CheckResult
from pipeline.concurrency import concurrently
from pipeline.gates.definition import FAILED, PASSED, TEST_RESULT, Gate, GateInputs, GateResult, Look, Problem, Row
from pipeline.gates.descriptors import job_url, source_descriptor
from pipeline.statement import Predicate

NAME = "checks"


async def prepare(_: GateInputs) -> Look:
    """Return the function that runs checks, which need nothing but the image."""
    return _look


def result_of(image: str, results: Sequence[CheckResult], build: Build) -> GateResult:
    """Return the result of an image's checks.

    Args:
        image: the image's name.
        results: the results of all its checks.
        build: the settings of the build.
    """
    return GateResult(
        NAME,
        image,
        problems=tuple(Problem(result.name, result.message) for result in results if not result.passed),
        rows=tuple(Row("pass", result.name, result.message) for result in results if result.passed),
        part={"checks": [asdict(result) for result in results]},
        predicates=(_predicate(results, build),),
    )


async def _look(images: Sequence[BuiltImage]) -> list[GateResult]:
    return await concurrently([partial(_look_at, image) for image in images])


async def _look_at(image: BuiltImage) -> GateResult:
    # The image's own checks take longer than the common ones, so they begin first.
    results = await concurrently([check.get for check in reversed(list(image.checks.values()))])
    return result_of(image.name, results[::-1], image.build)


def _predicate(results: Sequence[CheckResult], build: Build) -> Predicate:
    passed = [result.name for result in results if result.passed]
    failed = [result.name for result in results if not result.passed]
    result = {"result": FAILED if failed else PASSED, "configuration": [source_descriptor(build)], **job_url(build)}
    return Predicate(TEST_RESULT, {**result, "passedTests": passed, "warnedTests": [], "failedTests": failed})


CHECKS = Gate(NAME, prepare, needs_tools=False, attests=(TEST_RESULT,))
