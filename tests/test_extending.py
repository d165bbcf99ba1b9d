"""docs/extending.md: its blocks do what the page says, in a copy of the project."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.built_images import OF_ONE_LINE
from tests.conftest import CACHES, Built

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/extending.md").read_text()
SECTIONS = re.findall(r"^## (.*)", PAGE, re.MULTILINE)
#: The fast tests that know images, checks, gates and hardening rules by name.
TESTS = (
    "tests/test_images.py",
    "tests/trust/test_gates.py",
    "tests/trust/test_hardening.py",
    "tests/trust/test_audit.py",
    "tests/images",
    "tests/cli/test_run.py::test_a_wrong_word_is_one_sentence_and_exit_code_2",
    "tests/test_layout.py",
)


def _extend(project: Path, title: str) -> None:
    """Apply the blocks of a section, each to the file that the text before it names."""
    (section,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    for text, block in re.findall(r"(.*?)^```\w+\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
        name = re.findall(r"\]\(\.\./([\w./]+)\)|`(\w+/[\w./]+)`", text)[-1]
        path = project / "".join(name)
        place = re.findall(r"(?:at the end\s+of|among)\s+(the docstring|the imports|`\w+`)", text)
        before = path.read_text() if path.exists() else ""
        end, added = _place(before, place[-1], block) if place else (len(before), f"\n{block}")
        path.write_text(before[:end] + added + before[end:])


def _place(text: str, place: str, block: str) -> tuple[int, str]:
    """Return where a block belongs in a module, and how it reads there."""
    if place == "the docstring":
        return text.index('"""', 3), block
    if place == "the imports":
        *_, last = re.finditer(r"^from .*\n", text, re.MULTILINE)
        return last.end(), block
    opening = re.search(rf"^{place.strip('`')}\b.* = [({{]\n", text, re.MULTILINE)
    assert opening, f"nothing is named {place}"
    end = re.compile(r"^[)}](?:  #.*)?$", re.MULTILINE).search(text, opening.end())
    assert end
    return end.start(), textwrap.indent(block.rstrip() + ",\n", "    ")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the images are made by, and of its tests."""
    for name in ("pipeline", "engine", "dev", "tests"):
        # With the byte code, which is that of the same sources as long as these keep their times.
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def _run(project: Path, *words: str | Path, **variables: str) -> str:
    # The working directory comes first in Python's path.
    argv = [sys.executable, "-m", *words]
    done = subprocess.run(argv, cwd=project, env=os.environ | variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _tested(project: Path, *words: str | Path) -> str:
    """Run tests of the copy, with the tools that this run has fetched."""
    return _run(project, "pytest", "-q", *words, XDG_CACHE_HOME=str(CACHES.parent))


def _images(project: Path) -> dict[str, dict[str, Any]]:
    return {image["name"]: image for image in json.loads(_run(project, "pipeline", "images"))}


def test_the_image_is_in_the_catalogue_with_the_checks_of_its_parent_and_its_own(project: Path) -> None:
    _extend(project, "Add an image")
    images = _images(project)
    *inherited, own = images["ska-fonts"]["checks"]
    assert inherited == images[images["ska-fonts"]["parent"]]["checks"]
    assert own["name"] == "fonts"


def test_every_family_is_on_the_line(project: Path) -> None:
    _extend(project, "Add a line")
    found = [name for name, image in _images(project).items() if image["line"] == "debian13"]
    assert found == [f"{name}-debian13" for name in OF_ONE_LINE]


def test_the_check_is_one_of_every_image(project: Path) -> None:
    _extend(project, "Add a check")
    assert {image["checks"][-1]["name"] for image in _images(project).values() if image["parent"] is None} == {"shells"}
    assert all("shells" in [check["name"] for check in image["checks"]] for image in _images(project).values())


def test_the_tests_stay_green(project: Path) -> None:
    for title in SECTIONS:
        _extend(project, title)
    _tested(project, "-m", "not engine", *TESTS)


def test_the_image_is_built_and_passes_its_checks(project: Path, built: Built, store: Path) -> None:
    _extend(project, "Add an image")
    options = ("--store", store, "--created", built.report["created"])
    output = _run(project, "pipeline", "check", "--image", "ska-fonts", *options)
    assert output.startswith("ska-fonts  checks\n")
    assert set(re.findall(r"^  (\w+) ", output, re.MULTILINE)) == {"pass"}, output


def test_each_check_refuses_the_sabotaged_image(project: Path, built: Built, store: Path) -> None:
    _extend(project, "Add an image")
    _extend(project, "Add a check")
    output = _tested(project, "tests/images/test_checks.py", "-k", "shells or fonts", "--store", store)
    assert re.search(r"^2 passed", output, re.MULTILINE), output


def test_the_gate_holds_every_image_and_refuses_the_sabotaged_one(project: Path, built: Built, store: Path) -> None:
    _extend(project, "Add a gate")
    gates = "from pipeline.gates import GATES; print(*(gate.name for gate in GATES))"
    assert (
        subprocess.run(
            [sys.executable, "-c", gates], cwd=project, capture_output=True, text=True, check=True
        ).stdout.split()[-1]
        == "licences"
    )
    output = _tested(project, "tests/trust/test_licences.py", "--store", store)
    assert re.search(r"^1 passed", output, re.MULTILINE), output


def test_the_hardening_rule_is_applied_to_the_base(project: Path, built: Built, store: Path) -> None:
    _extend(project, "Add a check")
    _extend(project, "Add a hardening rule")
    options = ("--store", store, "--created", built.report["created"])
    stat = ("with-exec", "--args=stat,-c,%a,/etc/shells", "stdout")
    assert _run(project, "pipeline", *options, "ska-base", *stat).strip() == "444"
