"""Runs the checks of an image; those that only look at it share a container for each user.

The start of a container takes longer than most of them.
"""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import dagger

from pipeline.checks.check import ROOT, Check, CheckResult, Script, Subject, as_user
from pipeline.concurrency import Shared, concurrently

_RUN = (Path(__file__).parent / "scripts" / "together.sh").read_text()
#: What together.sh ends each script's part of a stream with: the check's name, and the exit code. Errors bring streams
#: without the last end of line.
_END = re.compile(r"\n\x1e([^ \n]+) ([0-9]+)(?:\n|\Z)")


@dataclass(frozen=True)
class _Found:
    """What a script found as one user."""

    passed: bool
    text: str


def results_of(checks: Iterable[Check], subject: Shared[Subject]) -> Mapping[str, Shared[CheckResult]]:
    """Return the result of each check by its name; an image that fails a check is a result, and never an error.

    Args:
        checks: with different names.
        subject: the image.
    """
    checks = tuple(checks)
    scripts = {check.name: check.looks for check in checks if check.looks}

    async def look() -> Mapping[str, CheckResult]:
        return await _look(scripts, await subject.get())

    looked = Shared(look)

    async def run(check: Check) -> CheckResult:
        return (await looked.get())[check.name] if check.looks else await check.run(await subject.get())

    return {check.name: Shared(partial(run, check)) for check in checks}


async def _look(scripts: Mapping[str, Script], subject: Subject) -> Mapping[str, CheckResult]:
    users = dict.fromkeys(user for script in scripts.values() for user in script.users)

    async def look(user: str) -> tuple[str, Mapping[str, _Found]]:
        return user, await _look_as(user, {n: one for n, one in scripts.items() if user in one.users}, subject)

    found = dict(await concurrently([partial(look, user) for user in users]))
    return {name: _result(name, [found[user][name] for user in one.users]) for name, one in scripts.items()}


def _result(name: str, found: Sequence[_Found]) -> CheckResult:
    failed = [one.text for one in found if not one.passed]
    return CheckResult(name, not failed, failed[0] if failed else found[0].text)


async def _look_as(user: str, scripts: Mapping[str, Script], subject: Subject) -> Mapping[str, _Found]:
    calls = []
    for name, script in scripts.items():
        words = (f"{subject.image}: check {name}", script.text, *await script.arguments(subject))
        calls.append(shlex.join(["run", name, *words]))
    step = f"{subject.image}: checks" if user == ROOT else f"{subject.image}: checks as {user}"
    command = ["sh", "-euc", "\n".join((_RUN, *calls, 'exit "$failed"')), step]
    try:
        # A failed exec is not cached, unlike one that is allowed to fail, so that the next run checks again.
        done = subject.container.with_user(user).with_exec(command)
        output, errors = await done.stdout(), await done.stderr()
    except dagger.ExecError as error:
        output, errors = error.stdout, error.stderr
    except dagger.QueryError as error:
        # The command could not start, as where the image does not have the user.
        return dict.fromkeys(scripts, _Found(False, as_user(str(error), user)))
    return {name: read(name, output, errors, user) for name in scripts}


def read(name: str, output: str, errors: str, user: str) -> _Found:
    """Return what a script found, from what together.sh wrote; without an end in standard output it failed.

    Args:
        name: of the check.
        output: standard output.
        errors: standard error.
        user: that it ran as.
    """
    found, code = _parts(output).get(name, ("", ""))
    failures, _ = _parts(errors).get(name, ("", ""))
    if code == "0":
        return _Found(True, found)
    text = failures or found or (f"exit code {code}, without output" if code else _END.split(errors)[-1].strip())
    return _Found(False, as_user(text or "no result", user))


def _parts(stream: str) -> Mapping[str, tuple[str, str]]:
    """Return what each script wrote to a stream, with its exit code, by the check's name."""
    pieces = _END.split(stream)
    names = pieces[1::3]
    if len(set(names)) < len(names):
        return {}  # a script wrote an end itself
    return {name: (text.strip(), code) for text, name, code in zip(pieces[::3], names, pieces[2::3], strict=False)}
