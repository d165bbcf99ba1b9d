"""Gates are values: whoever holds images against them knows no gate by name."""

from collections.abc import Sequence

import pytest

from pipeline.build.assembly import Archive, BuiltImage
from pipeline.checks import CheckResult
from pipeline.errors import GateError
from pipeline.evidence.provenance import Run
from pipeline.evidence.report_data import Reported, report_document
from pipeline.evidence.results import state
from pipeline.gates import GATES
from pipeline.gates.definition import Gate, GateInputs, GateResult, Look, Problem, Row
from pipeline.gates.gate_checks import CHECKS, result_of
from pipeline.gates.hold import look_at, prepare_all, require_passed, table
from pipeline.gates.tools import UsedTool
from pipeline.statement import Predicate
from tests.built_images import built_image, stand_in_build

ARCHIVE = Archive(f"sha256:{'d' * 64}", 1, 1, ("sha256:a",), (1,))
GOOD = (CheckResult("locale", True, "C.UTF-8"), CheckResult("size", True, "1"))
BAD = (CheckResult("size", True, "2"), CheckResult("python-version", False, "expected 3.10, found 3.11\nand more"))
TOOL = UsedTool("licences", "1.0", "c" * 64)
LICENCES = Predicate("https://example.org/licences", {"licences": ["MIT"]})


async def _prepare(_: GateInputs) -> Look:
    async def look(images: Sequence[BuiltImage]) -> list[GateResult]:
        return [
            GateResult(
                "licences",
                image.name,
                problems=(Problem("GPL", "is not allowed"),) if image.image.parent else (),
                rows=(Row("except", "LGPL", "linked only"),),
                part={"licences": ["MIT"]},
                files={"licences.txt": "MIT"},
                predicates=(LICENCES,),
                tools=(TOOL,),
            )
            for image in images
        ]

    return look


NEW = Gate("licences", _prepare, needs_tools=True, attests=(LICENCES.type,))
IMAGES = (
    built_image("ska-base", ARCHIVE, results=GOOD),
    built_image("ska-python", ARCHIVE, results=BAD),
)


async def held() -> list[GateResult]:
    looks = await prepare_all((CHECKS, NEW), GateInputs(stand_in_build(), lambda: "2026-01-31T12:00:00Z"))
    return await look_at(looks, IMAGES)


def test_a_release_passes_these_gates() -> None:
    assert [gate.name for gate in GATES][:4] == ["checks", "sbom", "audit", "scan"]


async def test_images_that_passed_are_let_through() -> None:
    require_passed([one for one in await held() if one.image == "ska-base"])


async def test_one_table_shows_each_image_and_gate_with_what_stops_a_release_first() -> None:
    assert table(await held()).splitlines() == [
        "ska-base  checks",
        "  pass    locale  C.UTF-8",
        "  pass    size    1",
        "ska-base  licences",
        "  except  LGPL  linked only",
        "ska-python  checks",
        "  FAIL    python-version  expected 3.10, found 3.11",
        "                          and more",
        "  pass    size            2",
        "ska-python  licences",
        "  FAIL    GPL   is not allowed",
        "  except  LGPL  linked only",
    ]


async def test_one_error_names_each_image_and_gate_and_shows_every_result() -> None:
    results = await held()
    with pytest.raises(GateError) as caught:
        require_passed(results)
    sentence, _, shown = str(caught.value).partition("\n")
    assert sentence == (
        "ska-python does not pass checks (python-version), ska-python does not pass licences (GPL), so nothing is "
        "delivered; correct what is marked FAIL and run again."
    )
    assert shown == table(results).rstrip()


def test_an_error_names_a_few_subjects_and_counts_the_others() -> None:
    many = tuple(CheckResult(f"check-{number}", False, "no") for number in range(5))
    with pytest.raises(GateError, match=r"^ska-base does not pass checks \(check-0, check-1, check-2 and 2 more\), so"):
        require_passed([result_of("ska-base", many, stand_in_build())])


async def test_a_new_gate_is_in_the_report() -> None:
    results = await held()
    reported = [
        Reported(image.image, ARCHIVE, {}, [one for one in results if one.image == image.name]) for image in IMAGES
    ]
    document = report_document(reported, stand_in_build(), "2026-01-31T12:00:00Z")
    base, python = document["images"]
    assert (document["passed"], base["passed"], base["licences"]) == (False, True, ["MIT"])
    assert python["problems"][-1] == {"gate": "licences", "subject": "GPL", "sentence": "is not allowed"}


async def test_what_a_new_gate_states_is_attested_and_its_tool_is_named() -> None:
    run = Run("linux/amd64", "v0.21.8", "2026-01-31T12:00:00Z", "2026-01-31T12:05:00Z")
    digests = {"ska-base": ARCHIVE.digest}
    (provenance, _, licences) = state(await held(), digests, stand_in_build(), run)["ska-base"]
    assert licences == LICENCES
    dependencies = provenance.content["buildDefinition"]["resolvedDependencies"]
    assert dependencies[-1] == {
        "name": "licences",
        "uri": "pkg:generic/licences@1.0",
        "digest": {"sha256": TOOL.checksum},
    }
