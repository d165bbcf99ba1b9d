"""What a check is, and how one runs."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import dagger

from pipeline.checks.distribution import Distribution
from pipeline.concurrency import concurrently

_SCRIPTS = Path(__file__).parent / "scripts"
ROOT = "root"
NONROOT_USER = "nonroot"
#: GitLab runners and OpenShift run containers as uids that are not in passwd.
ANYONE = (ROOT, NONROOT_USER, "12345")


@dataclass(frozen=True)
class Subject:
    """The image that is checked.

    Args:
        image: its name.
        container: its finished chain.
        size_budget: the most that all its files may take, unpacked, in bytes.
        package_lists: of its line, as the steps install from.
        distribution: that its base is of.
        unwanted: what its base may bring and it must not have, one thing a line, as steps/origin.sh reads it.
        sibling: gives the finished chain of the image of another family on the same line.
    """

    image: str
    container: dagger.Container
    size_budget: int
    package_lists: dagger.Directory
    distribution: Distribution
    unwanted: str
    sibling: Callable[[str], dagger.Container]


@dataclass(frozen=True)
class CheckResult:
    """What a check found.

    Args:
        name: of the check.
        passed: whether the fact holds.
        message: what was found; in a failure a line for each fact, with what was expected.
    """

    name: str
    passed: bool
    message: str


Arguments = Callable[[Subject], Awaitable[Sequence[str]]]


async def no_arguments(_: Subject) -> Sequence[str]:
    """Return none."""
    return ()


@dataclass(frozen=True)
class Script:
    """The script of a check.

    Args:
        name: in scripts/, without .sh; it prints its result, and writes failures to standard error.
        arguments: returns $1, $2 …
        users: that it runs as, names or numbers; the result is what the first one found.
    """

    name: str
    arguments: Arguments = no_arguments
    users: tuple[str, ...] = (ROOT,)

    @property
    def text(self) -> str:
        """The commands."""
        return "\n".join((_SCRIPTS / f"{name}.sh").read_text() for name in ("facts", self.name))


@dataclass(frozen=True)
class Check:
    """One fact that must hold in an image.

    Args:
        name: short, unique in an image.
        title: the fact.
        find: inspects the image; returns what it found, and raises CheckFailure if the fact does not hold.
        looks: what `find` runs, if that leaves the image as it was and takes less time than the start of a container.
    """

    name: str
    title: str
    find: Callable[[Subject, str], Awaitable[str]]
    looks: Script | None = None

    async def run(self, subject: Subject) -> CheckResult:
        """Run the check by itself; an image that fails it is a result, and never an error."""
        try:
            return CheckResult(self.name, True, await self.find(subject, f"{subject.image}: check {self.name}"))
        except CheckFailure as failure:
            return CheckResult(self.name, False, str(failure))


class CheckFailure(Exception):
    """The fact does not hold; the text states what was expected and what was found."""


def with_script(
    container: dagger.Container,
    script: str,
    step: str,
    *arguments: str,
    user: str = ROOT,
    setup: str = "",
) -> dagger.Container:
    """Run one of the scripts in a container.

    Args:
        container: where it runs.
        script: its name in scripts/, without .sh.
        step: the step's name in progress and errors.
        arguments: $1, $2 …
        user: a name or a number.
        setup: shell commands to run before it; only their errors are shown.
    """
    quiet = f"exec 3>&1 >/dev/null\n{setup}\nexec >&3 3>&-" if setup else ""
    return with_commands(container, "\n".join((quiet, Script(script).text)), step, *arguments, user=user)


def with_commands(
    container: dagger.Container, commands: str, step: str, *arguments: str, user: str
) -> dagger.Container:
    """Run shell commands in a container.

    Args:
        container: where they run.
        commands: of sh.
        step: the step's name in progress and errors, to which a user other than root is added.
        arguments: $1, $2 …
        user: a name or a number.
    """
    name = step if user == ROOT else f"{step} as {user}"
    return container.with_user(user).with_exec(["sh", "-euc", commands, name, *arguments])


async def run_script(
    container: dagger.Container,
    script: str,
    step: str,
    *arguments: str,
    users: tuple[str, ...] = (ROOT,),
    setup: str = "",
) -> str:
    """Run one of the scripts as each of the users, side by side.

    Args:
        container: where it runs; its changes are discarded.
        script: its name; it prints its result, and writes failures to standard error.
        step: the step's name.
        arguments: $1, $2 …
        users: names or numbers.
        setup: shell commands to run before it; only their errors are shown.

    Returns:
        Its output for the first user.

    Raises:
        CheckFailure: it ended with an error, or could not start.
    """

    async def run(user: str) -> str:
        try:
            # A failed exec is not cached, unlike one that is allowed to fail, so that the next run checks again.
            done = with_script(container, script, step, *arguments, user=user, setup=setup)
            return await done.stdout()
        except dagger.QueryError as error:
            # A command that failed, or could not start, as where the image does not have the user.
            raise CheckFailure(_reason(error, user)) from error

    return (await concurrently([partial(run, user) for user in users]))[0].strip()


def script_check(
    name: str,
    title: str,
    *,
    script: str | None = None,
    arguments: Arguments = no_arguments,
    users: tuple[str, ...] = (ROOT,),
    looks: bool = False,
) -> Check:
    """Make a check of a script.

    Args:
        name: of the check.
        title: the fact.
        script: of another name than the check.
        arguments: returns $1, $2 …
        users: that it runs as.
        looks: whether it only looks at the image, so that it can share a container with others.
    """
    runs = Script(script or name, arguments, users)

    async def find(subject: Subject, step: str) -> str:
        return await run_script(subject.container, runs.name, step, *await arguments(subject), users=users)

    return Check(name, title, find, runs if looks else None)


#: Makes a check of a script that only looks at the image.
look_check = partial(script_check, looks=True)


def _reason(error: dagger.QueryError, user: str) -> str:
    text = str(error)
    if isinstance(error, dagger.ExecError):
        text = error.stderr.strip() or error.stdout.strip() or f"exit code {error.exit_code}, without output"
    return as_user(text, user)


def as_user(text: str, user: str) -> str:
    """Return the end of a failure's text, in which each line names a user other than root."""
    lines = text.splitlines()[-20:]
    return "\n".join(lines if user == ROOT else [f"(as {user}) {line}" for line in lines])
