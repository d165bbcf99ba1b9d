"""What must hold in an application's image."""

import dataclasses
from pathlib import PurePath

from pipeline.app.environment import Source
from pipeline.checks import Check, Subject
from pipeline.checks.base_checks import SECURITY_UPDATES
from pipeline.checks.check import NONROOT_USER, ROOT, run_script, script_check
from pipeline.metadata import PYTHON_LABEL

_USERS = (NONROOT_USER, "12345", ROOT)


def checks_for(source: Source, entrypoint: tuple[str, ...], *, scanned: bool) -> tuple[Check, ...]:
    """Return the checks of an application.

    Args:
        source: its source.
        entrypoint: the words that start it.
        scanned: whether it will be scanned for vulnerabilities, which asks for pending security updates besides.
    """
    installed = source.project.name if source.project.is_package else ""

    async def imports(subject: Subject, step: str) -> str:
        return await run_script(subject.container, "app-imports", step, installed, users=_USERS)

    async def starts(subject: Subject, step: str) -> str:
        words = (entrypoint[0], installed, _module(entrypoint))
        return await run_script(subject.container, "app-starts", step, *words, users=_USERS)

    async def environment(subject: Subject, step: str) -> str:
        python = await subject.container.label(PYTHON_LABEL) or ""
        return await run_script(subject.container, "app-environment", step, python)

    found = (
        Check("app-imports", "the application's modules import", imports),
        Check("app-starts", "what the image starts is there, and every console script can be imported", starts),
        Check("app-environment", "the environment fits the image's Python and libraries", environment),
        script_check(
            "app-files", "the user can read the application's files, and not change them", users=(NONROOT_USER,)
        ),
        _system_python(script_check("runtime-only", "there is no pip, compiler or header")),
    )
    return (*found, SECURITY_UPDATES) if scanned else found


def _module(entrypoint: tuple[str, ...]) -> str:
    """Return the module that Python runs, as in python -m my_project; empty for another program."""
    program, *options = entrypoint
    if not PurePath(program).name.startswith("python") or "-m" not in options[:-1]:
        return ""
    return options[options.index("-m") + 1]


def _system_python(check: Check) -> Check:
    """Run a check in the image without the environment's PATH, since it looks at the system's Python."""

    async def find(subject: Subject, step: str) -> str:
        path = await subject.container.env_variable("PATH") or ""
        system = path.partition(":")[2]
        return await check.find(
            dataclasses.replace(subject, container=subject.container.with_env_variable("PATH", system)), step
        )

    return dataclasses.replace(check, find=find)
