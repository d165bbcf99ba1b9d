"""The families: one entry for each purpose. Names, order, tags, checks, documentation and tests follow from it."""

from pipeline import checks
from pipeline.catalogue.image import MEGABYTE, Family
from pipeline.steps.install import build_tools, hardened_base, packages, runtime_python

FAMILIES: tuple[Family, ...] = (
    Family(
        name="ska-base",
        parent=None,
        title="SKA base image",
        description="The base of all images: security updates, certificates and an unprivileged user.",
        install=hardened_base(),
        checks=checks.ALL_IMAGES,
        size_budget=200 * MEGABYTE,
    ),
    Family(
        name="ska-build",
        parent="ska-base",
        title="SKA build image",
        description="Builds software: Python, pip, pipx, Poetry, uv and a C++ compiler.",
        install=build_tools(),
        checks=checks.BUILD,
        size_budget=720 * MEGABYTE,
    ),
    Family(
        name="ska-build-python",
        parent="ska-build",
        title="SKA build image for Python",
        description="Builds Python applications: the build image with venv, git, Poetry and uv.",
        install=packages(
            "python3-venv",
            "git",
            environment={"POETRY_NO_INTERACTION": "1", "POETRY_VIRTUALENVS_IN_PROJECT": "1"},
        ),
        checks=checks.BUILD_PYTHON,
        size_budget=800 * MEGABYTE,
    ),
    Family(
        name="ska-python",
        parent="ska-base",
        title="SKA runtime image for Python",
        description="Runs Python applications: Python only, without pip, compiler or headers.",
        install=runtime_python(),
        checks=checks.PYTHON,
        size_budget=240 * MEGABYTE,
    ),
)
