"""Each check sees what it is there for, on real images."""

from dataclasses import replace

import pytest

from pipeline.catalogue.lookup import by_name, checks_of
from pipeline.checks import Subject
from pipeline.checks.together import results_of
from tests.built_images import ready
from tests.images.sabotage import Sabotage, matches
from tests.images.sabotages_base import BASE
from tests.images.sabotages_contract import CONTRACT
from tests.images.sabotages_tools import BUILD, PYTHON

SABOTAGES = (*BASE, *CONTRACT, *BUILD, *PYTHON)

CASES = [pytest.param(case.image, case, id=f"{case.check}: {case.what}") for case in SABOTAGES]


@pytest.mark.parametrize(("subject", "case"), CASES, indirect=["subject"])
async def test_a_sabotaged_image_fails_its_check(subject: Subject, case: Sabotage) -> None:
    (check,) = [check for check in checks_of(by_name()[case.image]) if check.name == case.check]
    sabotaged = replace(subject, container=subject.container.with_(case.step))
    result = await results_of([check], ready(sabotaged))[check.name].get()
    assert (result.passed, matches(case.says, result.message)) == (False, True), result.message


def test_every_check_is_shown_to_fail() -> None:
    assert {check.name for image in by_name().values() for check in checks_of(image)} == {
        case.check for case in SABOTAGES
    }
