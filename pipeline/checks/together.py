"""Runs the checks of an image; those that only look at it share a container for each user.

The start of a container takes longer than most of them.
"""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import dagger

from pipeline.checks.check import Check, CheckResult, Script, Subject, as_user, with_commands
from pipeline.concurrency import Shared, concurrently

_RUN = (Path(__file__).parent / "scripts" / "together.sh").read_text()
#: What together.sh ends each script's part of a stream with: the check's name, and the exit code. Errors bring streams
#: without the last end of line.
_END = re.compile(r"\n\x1e([^ \n]+) ([0-9]+)(?:\n|\Z)")


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

    async def look(user: str) -> Mapping[str, CheckResult]:
        return await _look_as(user, {n: one for n, one in scripts.items() if user in one.users}, subject)

    found = dict(zip(users, await concurrently([partial(look, user) for user in users]), strict=True))
    return {name: _joined([found[user][name] for user in one.users]) for name, one in scripts.items()}


def _joined(results: Sequence[CheckResult]) -> CheckResult:
    """Return the first failure, or else what was found as the first user."""
    return next((result for result in results if not result.passed), results[0])


async def _look_as(user: str, scripts: Mapping[str, Script], subject: Subject) -> Mapping[str, CheckResult]:
    calls = []
    for name, script in scripts.items():
        words = (f"{subject.image}: check {name}", script.text, *await script.arguments(subject))
        calls.append(shlex.join(["run", name, *words]))
    commands = "\n".join((_RUN, *calls, 'exit "$failed"'))
    try:
        # A failed exec is not cached, unlike one that is allowed to fail, so that the next run checks again.
        done = with_commands(subject.container, commands, f"{subject.image}: checks", user=user)
        return read(scripts, await done.stdout(), await done.stderr(), user)
    except dagger.ExecError as error:
        return read(scripts, error.stdout, error.stderr, user)
    except dagger.QueryError as error:
        # The command could not start, as where the image does not have the user.
        return {name: CheckResult(name, False, as_user(str(error), user)) for name in scripts}


def read(names: Iterable[str], output: str, errors: str, user: str) -> Mapping[str, CheckResult]:
    """Return what scripts found, from what together.sh wrote; one without an end in standard output failed.

    Args:
        names: of the checks.
        output: standard output.
        errors: standard error.
        user: that they ran as.
    """
    found, failures, last = _parts(output), _parts(errors), _END.split(errors)[-1].strip()

    def result(name: str) -> CheckResult:
        text, code = found.get(name, ("", ""))
        if code == "0":
            return CheckResult(name, True, text)
        failure, _ = failures.get(name, ("", ""))
        reason = failure or text or (f"exit code {code}, without output" if code else last) or "no result"
        return CheckResult(name, False, as_user(reason, user))

    return {name: result(name) for name in names}


def _parts(stream: str) -> Mapping[str, tuple[str, str]]:
    """Return what each script wrote to a stream, with its exit code, by the check's name."""
    pieces = _END.split(stream)
    names = pieces[1::3]
    if len(set(names)) < len(names):
        return {}  # a script wrote an end itself
    return {name: (text.strip(), code) for text, name, code in zip(pieces[::3], names, pieces[2::3], strict=False)}
