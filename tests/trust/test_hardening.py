"""Every edit that hardens the base has its rules, and a check that sees it."""

import re

import pytest

from pipeline.checks import ALL_IMAGES
from pipeline.gates.audit.baseline import read_baseline
from pipeline.gates.audit.tailoring import DROPPED
from pipeline.steps.hardening import HARDENING, Edit
from pipeline.steps.install import hardened_base, shell

EDITS = pytest.mark.parametrize("edit", HARDENING, ids=[edit.function for edit in HARDENING])


def test_the_edits_are_the_functions_of_the_script() -> None:
    functions = re.findall(r"^(\w+)\(\) \{$", shell("harden"), re.MULTILINE)
    assert [edit.function for edit in HARDENING] == functions


def test_the_base_runs_every_function_of_the_script() -> None:
    assert hardened_base().arguments == tuple(edit.function for edit in HARDENING)
    assert '"$@"' in shell("base")


@EDITS
def test_an_edit_has_a_check(edit: Edit) -> None:
    assert edit.check in {check.name for check in ALL_IMAGES}


@EDITS
def test_the_rules_of_an_edit_are_audited(edit: Edit) -> None:
    known = read_baseline("debian-12")
    assert known
    assert set(edit.rules) <= known.outcomes.keys()
    assert not set(edit.rules) & {dropped.rule for dropped in DROPPED}
