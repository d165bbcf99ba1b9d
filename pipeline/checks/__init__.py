"""The checks that run inside containers; the scripts are in scripts/.

check          what a check is, and how one runs
base_checks    what holds in every image
build_checks   what holds where software is built
python_checks  what holds where Python applications run
"""

from pipeline.checks.base_checks import (
    ACCOUNTS,
    CERTIFICATES,
    LEFTOVERS,
    LOCALE,
    METADATA,
    NONROOT,
    PRIVILEGED_FILES,
    SECURITY_UPDATES,
    SIZE,
    UMASK,
    WORLD_WRITABLE,
)
from pipeline.checks.build_checks import COMPILER, EXTENSION, GIT, PIP, PIPX, POETRY, POETRY_INSTALL, VENV
from pipeline.checks.check import Check, CheckResult, Subject
from pipeline.checks.python_checks import APPLICATION, PYTHON_VERSION, RUNTIME_ONLY, STANDARD_LIBRARY

#: Every image has these.
ALL_IMAGES = (
    METADATA,
    SECURITY_UPDATES,
    CERTIFICATES,
    LEFTOVERS,
    PRIVILEGED_FILES,
    WORLD_WRITABLE,
    ACCOUNTS,
    UMASK,
    LOCALE,
    NONROOT,
    SIZE,
)
#: What ska-build adds.
BUILD = (PIP, PIPX, POETRY, COMPILER, EXTENSION)
#: What ska-build-python adds.
BUILD_PYTHON = (POETRY_INSTALL, VENV, GIT)
#: What ska-python adds.
PYTHON = (STANDARD_LIBRARY, RUNTIME_ONLY, PYTHON_VERSION, APPLICATION)

__all__ = ["ALL_IMAGES", "BUILD", "BUILD_PYTHON", "PYTHON", "Check", "CheckResult", "Subject"]
