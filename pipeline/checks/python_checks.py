"""What must hold in the images with Python, and between the one that builds applications and the one that runs them."""

from collections.abc import Sequence

import dagger

from pipeline.checks.check import ANYONE, Check, Subject, look_check, run_script, with_script
from pipeline.metadata import PYTHON_LABEL

_BUILDER = "ska-build-python"
#: Where uv, Poetry and venv make environments, in this order.
_ENVIRONMENTS = ("/src/.venv", "/app/.venv", "/opt/application/.venv")


async def _python_version(subject: Subject) -> Sequence[str]:
    return (await _python_of(subject.container),)


async def _modules(subject: Subject, step: str) -> str:
    builders = await run_script(subject.sibling(_BUILDER), "modules", f"{step} of {_BUILDER}")
    return await run_script(subject.container, "same-modules", step, builders)


async def _standard_library(subject: Subject) -> Sequence[str]:
    return sorted(subject.distribution.other_systems)


async def _pair(subject: Subject, step: str) -> str:
    builder = subject.sibling(_BUILDER)
    built = with_script(builder, "pair-build", f"{step}: build", *_ENVIRONMENTS)
    container = subject.container
    for path in _ENVIRONMENTS:
        container = container.with_directory(path, built.directory(path))
    return await run_script(container, "pair-run", step, await _python_of(builder), *_ENVIRONMENTS, users=ANYONE)


async def _python_of(container: dagger.Container) -> str:
    return await container.label(PYTHON_LABEL) or ""


PYTHON_VERSION = look_check(
    "python-version", f"the label {PYTHON_LABEL} names Python's version", arguments=_python_version
)
PYTHON = (
    look_check("standard-library", "every module of the standard library imports", arguments=_standard_library),
    look_check("runtime-only", "there is no pip, compiler or header"),
    PYTHON_VERSION,
    Check("same-modules", f"Python has every module of the standard library that {_BUILDER} has", _modules),
    Check("pair", f"virtual environments that uv, Poetry and venv made in {_BUILDER} run", _pair),
)
