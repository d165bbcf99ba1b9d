"""Images are audited by the real OpenSCAP; what is wrong in one is found, and an audit that saw nothing is no audit."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import dagger
import pytest
import pytest_asyncio
from dagger import dag

from pipeline.build.assembly import open_images
from pipeline.build.chain import chain
from pipeline.build.inputs import Build
from pipeline.build.settings import moment
from pipeline.checks.distribution import DISTRIBUTIONS
from pipeline.errors import GateError, HoldError, ToolError
from pipeline.gates.audit import gate_audit as audits
from pipeline.gates.audit.audited import Audited, problems_of, result_of
from pipeline.gates.audit.baseline import read_baseline
from pipeline.gates.audit.gate_audit import AUDIT, audit, auditor, outcomes_of, record_audit
from pipeline.gates.audit.tailoring import DROPPED, RULE, render
from pipeline.gates.definition import GateInputs, Problem
from pipeline.gates.hold import hold, require_passed, table
from pipeline.gates.tools import Toolbox
from pipeline.steps.hardening import HARDENING
from tests.built_images import OF_ONE_LINE, RULES, ready, stand_in_build
from tests.conftest import PROJECT, Built
from tests.images.sabotage import shell

RULE_FILES = [one.rules for one in DISTRIBUTIONS.values() if one.rules]
CLEAN = Audited("ska-base", "debian-12", RULES, {"one": "pass", "two": "notapplicable"})


async def audited(name: str, container: dagger.Container, build: Build) -> Audited:
    return await audit(name, container, auditor(build), Toolbox.of(build))


async def sabotaged(build: Build, script: str) -> tuple[Audited, tuple[Problem, ...]]:
    found = await audited("ska-base", chain("ska-base", build).with_(shell(script)), build)
    return found, problems_of(found)


async def test_all_images_are_as_hard_as_the_baseline(trusting: Build) -> None:
    results = await hold([AUDIT], (), GateInputs(trusting, moment))
    assert [one.image for one in results] == list(OF_ONE_LINE)
    known = read_baseline("debian-12")
    assert known
    outcomes = list(known.outcomes.values())
    keys = ("passed", "failed", "not_applicable")
    counts = tuple(outcomes.count(word) for word in ("pass", "fail", "notapplicable"))
    assert {tuple(one.part["audit"][key] for key in keys) for one in results} == {counts}


async def test_the_committed_baseline_is_what_an_audit_records(trusting: Build) -> None:
    assert await record_audit(trusting) == (PROJECT / "pipeline/data/baselines/debian-12.json").read_text()


def test_the_command_shows_the_table(built: Built, store: Path, tools: Path) -> None:
    options = ["--image", "ska-base", "--tools", tools, "--store", store, "--created", built.report["created"]]
    command = [sys.executable, "-m", "pipeline", "audit", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"^  pass +[0-9]+ rules +of ssg-debian12-ds\.xml [0-9.]+ hold in debian-12", done.stdout, re.MULTILINE
    )


async def test_the_plain_base_is_not(trusting: Build) -> None:
    found = await audited("the base", trusting.workbench.container, trusting)
    failed = {problem.subject for problem in problems_of(found)}
    assert {"file_permission_user_init_files", "use_pam_wheel_group_for_su"} & failed


#: What is wrong in one image at once, and the rule that must find it.
WRONG = {
    "file_permissions_etc_shadow": "chmod 0666 /etc/shadow",
    "file_permissions_unauthorized_world_writable": "touch /srv/open; chmod 0666 /srv/open",
    "file_permissions_ungroupowned": "touch /srv/strange; chgrp 4242 /srv/strange",
    "file_permissions_home_directories": "chmod 0777 /home/nonroot",
    "file_permission_user_init_files": "chmod o+r /home/nonroot/.bashrc",
    "use_pam_wheel_group_for_su": "sed -i /pam_wheel/d /etc/pam.d/su",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def wrong(trusting: Build) -> tuple[Problem, ...]:
    """The problems of an image in which all of that is wrong."""
    return (await sabotaged(trusting, "\n".join(WRONG.values())))[1]


@pytest.mark.parametrize("rule", WRONG)
async def test_what_is_wrong_in_an_image_is_found(rule: str, wrong: tuple[Problem, ...]) -> None:
    assert Problem(rule, "fail, in the baseline pass") in wrong


async def test_nothing_else_is_found(wrong: tuple[Problem, ...]) -> None:
    assert len(wrong) == len(WRONG)


def test_every_rule_that_hardening_is_for_is_seen_to_fail() -> None:
    known = read_baseline("debian-12")
    assert known
    satisfied = {rule for edit in HARDENING for rule in edit.rules}
    assert {rule for rule in satisfied if known.outcomes[rule] != "notapplicable"} <= WRONG.keys()


async def test_a_package_database_that_cannot_be_read_is_no_audit(trusting: Build) -> None:
    with pytest.raises(HoldError, match=r"could not look at all of the image .*dpkginfo_init has failed"):
        await sabotaged(trusting, "echo nonsense >/etc/apt/sources.list")


async def test_rules_that_vanish_with_the_package_database_stop_a_release(trusting: Build) -> None:
    _, problems = await sabotaged(trusting, "rm /var/lib/dpkg/status")
    assert Problem("use_pam_wheel_group_for_su", "notapplicable, in the baseline pass") in problems


async def test_rules_of_another_distribution_pass_nothing(trusting: Build) -> None:
    found, problems = await sabotaged(
        trusting, "sed -i 's/^ID=.*/ID=ubuntu/; s/^VERSION_ID=.*/VERSION_ID=\"22.04\"/' /usr/lib/os-release"
    )
    assert found.system == "ubuntu-22.04"
    assert Problem("no rule passed at all", "the rules are not those of this image") in problems


async def test_a_system_without_rules_cannot_be_audited(trusting: Build) -> None:
    with pytest.raises(
        HoldError, match=r"system of ska-base is debian-99, and there are rules for debian-12, debian-13, ubuntu-22\.04"
    ):
        await sabotaged(trusting, "sed -i 's/^VERSION_ID=.*/VERSION_ID=99/' /usr/lib/os-release")


async def test_an_error_of_openscap_is_no_audit(trusting: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audits, "TAILORED", "xccdf_int.skao_profile_of-another-name")
    with pytest.raises(HoldError, match=r"OpenSCAP cannot audit ska-base .*of-another-name"):
        await audited("ska-base", chain("ska-base", trusting), trusting)


async def test_without_the_rules_there_is_no_audit(trusting: Build) -> None:
    with pytest.raises(ToolError, match=r"has no ssg-debian12-ds\.xml"):
        await hold([AUDIT], ["ska-base"], GateInputs(replace(trusting, tools=dag.directory()), moment))


@pytest.mark.parametrize("error", ["fsdev_init() failed.", "dpkginfo_init has failed.", "a probe ended."])
def test_where_openscap_could_not_look_nothing_is_known(error: str) -> None:
    with pytest.raises(HoldError, match=re.escape(error)):
        outcomes_of(f"{RULE}one:pass\n", f"W: oscap: a warning\nE: oscap:     {error}\n")


@pytest.mark.parametrize("line", ["Segmentation fault", f"{RULE}one", f"{RULE}one:", "another_rule:pass"])
def test_what_is_no_outcome_is_an_error(line: str) -> None:
    with pytest.raises(HoldError, match="is not the outcome of a rule"):
        outcomes_of(f"{RULE}one:pass\n{line}\n", "")


def test_outcomes_are_read_by_the_names_of_rules() -> None:
    assert outcomes_of(f"{RULE}one:pass\n{RULE}two:notapplicable\n", "W: oscap: a warning") == CLEAN.outcomes


def test_an_image_with_a_problem_is_refused_and_all_are_shown() -> None:
    bad = replace(CLEAN, image="ska-python", outcomes={"one": "fail"})
    problem = Problem("one", "fail, in the baseline pass")
    with pytest.raises(GateError) as raised:
        require_passed([result_of(CLEAN, (), stand_in_build()), result_of(bad, (problem,), stand_in_build())])
    text = str(raised.value)
    assert text.startswith("ska-python does not pass audit (one), so nothing")
    assert re.search(r"^  FAIL    one +fail, in the baseline pass$", text, re.MULTILINE)
    assert re.search(
        r"^  pass    1 rule +of ssg-debian12-ds\.xml 0\.1\.82 hold in debian-12, 1 are", text, re.MULTILINE
    )


def test_images_without_a_problem_are_not_refused() -> None:
    require_passed([result_of(CLEAN, (), stand_in_build())])


def test_a_failure_that_the_baseline_knows_is_shown_as_an_exception() -> None:
    failing = replace(CLEAN, outcomes={**CLEAN.outcomes, "three": "fail"})
    shown = table([result_of(failing, (), stand_in_build())])
    assert re.search(r"^  except  1 rule +fail in the baseline as well\n +three$", shown, re.MULTILINE)


def test_the_table_gives_the_reason_of_each_rule_that_was_dropped() -> None:
    shown = table([result_of(CLEAN, (), stand_in_build())])
    assert [dropped for dropped in DROPPED if dropped.rule not in shown or dropped.reason not in shown] == []


async def test_an_image_that_cannot_be_audited_is_a_problem_of_that_image_alone(trusting: Build) -> None:
    first, second = open_images(("ska-base", "ska-python"), trusting)
    broken = replace(first, container=ready((await first.container.get()).with_(shell("rm /usr/lib/os-release"))))
    look = await AUDIT.prepare(GateInputs(trusting, moment))
    one, two = await look([broken, second])
    assert [problem.subject for problem in one.problems] == ["OpenSCAP"]
    assert "os-release of ska-base cannot be read" in one.problems[0].sentence
    assert (two.problems, one.predicates) == ((), ())


def test_no_rule_is_dropped_twice() -> None:
    assert len({dropped.rule for dropped in DROPPED}) == len(DROPPED)


def test_every_dropped_rule_is_one_of_the_content(tools: Path) -> None:
    texts = [(tools / content).read_text() for content in RULE_FILES]
    known = {dropped.rule for dropped in DROPPED for text in texts if f'"{RULE}{dropped.rule}"' in text}
    assert known == {dropped.rule for dropped in DROPPED}


def test_the_tailoring_drops_each_rule_with_its_reason() -> None:
    space = {"x": "http://checklists.nist.gov/xccdf/1.2"}
    selects = ET.fromstring(render("content.xml").encode()).findall("x:Profile/x:select", space)  # noqa: S314
    assert [(one.get("idref"), one.get("selected"), one.findtext("x:remark", None, space)) for one in selects] == [
        (f"{RULE}{dropped.rule}", "false", dropped.reason) for dropped in DROPPED
    ]
