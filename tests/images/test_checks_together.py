"""Checks that only look at an image share a container, and each still has a result of its own."""

from dataclasses import replace
from typing import Any

import pytest

from pipeline.catalogue.lookup import by_name, checks_of
from pipeline.checks import CheckResult, Subject
from pipeline.checks.check import ANYONE, Check, script_check
from pipeline.checks.together import read, results_of
from tests.built_images import ready
from tests.images.sabotage import left, shell

BASE = pytest.mark.parametrize("subject", ["ska-base"], indirect=True)
LOOKS = [check for check in checks_of(by_name()["ska-base"]) if check.looks]


async def run(checks: list[Check], subject: Subject) -> dict[str, CheckResult]:
    return {name: await result.get() for name, result in results_of(checks, ready(subject)).items()}


@BASE
async def test_an_image_is_looked_at_once_for_each_user(subject: Subject, events: list[dict[str, Any]]) -> None:
    before = len(events)
    changed = replace(subject, image="ska-base-again", container=subject.container.with_env_variable("NEW", "1"))
    found = await run(LOOKS, changed)
    assert [result.name for result in found.values() if not result.passed] == []
    started = [event["name"] for event in events[before:] if event.get("state") in ("done", "cached")]
    assert sorted(started) == ["ska-base-again: checks", "ska-base-again: checks as nonroot"]


@BASE
async def test_only_the_checks_whose_facts_do_not_hold_fail(subject: Subject) -> None:
    for step in (left("/var/log/apt.log"), shell("chmod u+s /usr/bin/env"), shell("userdel nonroot; rm /etc/*-")):
        subject = replace(subject, container=subject.container.with_(step))
    failed = {name: result.message for name, result in (await run(LOOKS, subject)).items() if not result.passed}
    assert failed["leftovers"] == "logs: expected nothing, found /var/log/apt.log"
    assert failed["privileged-files"] == "setuid and setgid files: expected nothing, found /usr/bin/env"
    assert failed["nonroot"].startswith("(as nonroot) The user 'nonroot' is not in the image")
    assert failed.keys() == {"leftovers", "privileged-files", "nonroot", "accounts", "umask"}


@BASE
async def test_one_user_is_enough_to_fail(subject: Subject) -> None:
    check = script_check("probe", "everyone may do it", script="missing-program", users=ANYONE, looks=True)
    step = shell("printf '#!/bin/sh\\nexit 0\\n' >/usr/bin/no-such-program; chmod 0744 /usr/bin/no-such-program")
    changed = replace(subject, container=subject.container.with_(step))
    result = (await run([check], changed))["probe"]
    assert (result.passed, result.message) == (
        False,
        "exit code of a program that does not exist: expected 127, found 0",
    )


END = "\n\x1e"


@pytest.mark.parametrize(
    ("output", "errors", "text"),
    [
        ("", "", "no result"),
        ("", "sh: find: not found\n", "sh: find: not found"),
        (f"fine{END}other 0\n", f"{END}other 0\nKilled", "Killed"),
        (f"fine{END}one 3\n", f"{END}one 3\n", "fine"),
        (f"{END}one 3\n", f"{END}one 3\n", "exit code 3, without output"),
        (f"fine{END}one 3\n", f"because{END}one 3\n", "because"),
        (f"{END}one 0\n{END}one 1\n", f"{END}one 1\n", "no result"),
    ],
    ids=["nothing", "no end", "ended early", "a result", "no output", "a failure", "an end that the image wrote"],
)
def test_a_check_without_an_end_that_says_so_fails(output: str, errors: str, text: str) -> None:
    assert read(["one"], output, errors, "root") == {"one": CheckResult("one", False, text)}
