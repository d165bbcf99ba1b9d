"""Projects, and the applications that build-app makes of them."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dagger
import pytest

from pipeline.app.build_app import AppOrder, build_app, report_app
from pipeline.app.pair import ReleasedPair
from pipeline.build.inputs import Build
from pipeline.build.settings import moment
from pipeline.gates.definition import GateInputs
from pipeline.release.login import Login
from pipeline.signing.signature import Trusted
from pipeline.signing.trust_store import NotationTrust
from pipeline.text_files import text_files

BUILT_PAIR = ReleasedPair("", Login(), Trusted(), NotationTrust(), allow_stand_in_base=False, now=moment())
UV = Path(sys.executable).with_name("uv")
PYPROJECT = """
[project]
name = "readings"
version = "1.2.3"
description = "Counts readings."
requires-python = ">=3.10"
dependencies = ["msgpack>=1.1,<2"]

[project.scripts]
readings = "readings:main"

[dependency-groups]
dev = ["pytest>=8"]

[build-system]
requires = ["hatchling>=1.25"]
build-backend = "hatchling.build"

[tool.ska-images.app]
team = "Team Readings"
url = "https://readings.example/docs"
source = "https://readings.example/source"
"""
MODULE = """
import msgpack


def main() -> None:
    print(len(msgpack.packb(list(range(3)))), "bytes")
"""


@dataclass(frozen=True)
class ProjectFiles:
    """A project as texts by their paths.

    Args:
        files: the texts.
    """

    files: Mapping[str, str]

    def with_files(self, changed: Mapping[str, str | None]) -> "ProjectFiles":
        """Return the project with other files by their paths; None removes one."""
        files = {**self.files, **changed}
        return ProjectFiles({name: text for name, text in files.items() if text is not None})

    def directory(self) -> dagger.Directory:
        """Return it as a directory of the engine."""
        return text_files(self.files)

    def order(self, **given: Any) -> AppOrder:
        """Return the order that builds it."""
        order = AppOrder(self.directory(), "", "", (), (), None, "", {})
        return replace(order, **given)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> ProjectFiles:
    """A package with one compiled dependency, a console script, a test and uv's lock."""
    place = tmp_path_factory.mktemp("readings")
    (place / "pyproject.toml").write_text(PYPROJECT)
    subprocess.run([UV, "lock", "--quiet", "--project", place], check=True)
    files = {
        "pyproject.toml": PYPROJECT,
        "uv.lock": (place / "uv.lock").read_text(),
        "src/readings/__init__.py": MODULE,
        "tests/test_readings.py": "import readings\n\n\ndef test_it() -> None:\n    readings.main()\n",
    }
    return ProjectFiles(files)


async def built_app(order: AppOrder, build: Build) -> dagger.Container:
    """Build an application on the pair that the build makes."""
    return await build_app(order, BUILT_PAIR, GateInputs(build, moment))


async def reported_app(order: AppOrder, build: Build, *evidence: str) -> dagger.Directory:
    """Build an application, and return its archive with evidence."""
    return await report_app(order, BUILT_PAIR, GateInputs(build, moment), evidence)
