"""What must hold in the images that build software."""

from pipeline.checks.check import ANYONE, NONROOT_USER, ROOT, Check, Subject, look_check, run_script, script_check
from pipeline.checks.python_checks import PYTHON_VERSION
from pipeline.steps.install import locked_version

_BOTH = (ROOT, NONROOT_USER)


async def _poetry(subject: Subject, step: str) -> str:
    return await run_script(subject.container, "poetry", step, locked_version("poetry"), users=ANYONE)


async def _uv(subject: Subject, step: str) -> str:
    return await run_script(subject.container, "uv", step, locked_version("uv"), users=ANYONE)


#: What ska-build adds.
BUILD = (
    script_check("pip", "pip works, also into the system's Python", users=ANYONE),
    script_check("pipx", "pipx works", users=ANYONE),
    Check("poetry", "Poetry has the pinned version", _poetry),
    Check("uv", "uv has the pinned version and uses the system's Python", _uv),
    look_check("system-python", "the system's Python shows pip alone"),
    PYTHON_VERSION,
    look_check("missing-program", "every user reads that a missing program is not found", users=ANYONE),
    script_check("compiler", "a C++ program compiles and runs", users=_BOTH),
    script_check("extension", "a CPython extension that uses libffi builds and imports", users=_BOTH),
)
#: What ska-build-python adds.
BUILD_PYTHON = (
    script_check("poetry-install", "poetry install makes a virtual environment in the project", users=ANYONE),
    script_check("uv-sync", "uv sync makes a virtual environment in the project", users=ANYONE),
    script_check("venv", "python -m venv makes an environment with pip", users=(NONROOT_USER,)),
    look_check("git", "git commits and clones", users=_BOTH),
)
