"""What must hold in the image that runs Python applications."""

from pipeline.checks.check import NONROOT_USER, ROOT, Check, Subject, run_script, script_check, with_script

_BUILDER = "ska-build-python"
_VENV = "/src/.venv"


async def _python_version(subject: Subject, step: str) -> str:
    built_with = await run_script(subject.sibling(_BUILDER), "minor-version", f"{step} of {_BUILDER}")
    return await run_script(subject.container, "python-version", step, built_with)


async def _application(subject: Subject, step: str) -> str:
    built = with_script(subject.sibling(_BUILDER), "application-build", f"{step}: build", _VENV)
    container = subject.container.with_directory(_VENV, built.directory(_VENV))
    return await run_script(container, "application-run", step, _VENV, users=(ROOT, NONROOT_USER))


async def _standard_library(subject: Subject, step: str) -> str:
    others = sorted(subject.distribution.other_systems)
    return await run_script(subject.container, "standard-library", step, *others)


PYTHON = (
    Check("standard-library", "every module of the standard library imports", _standard_library),
    script_check("runtime-only", "there is no pip, compiler or header"),
    Check("python-version", f"Python's minor version is that of {_BUILDER}", _python_version),
    Check(
        "application", f"a virtual environment made in {_BUILDER} at {_VENV} runs, compiled modules too", _application
    ),
)
