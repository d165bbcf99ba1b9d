"""A Dagger module of someone else's runs its unit tests on the engine, by the commands of the engine's page."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.conftest import PROJECT

FOREIGN = Path(__file__).with_name("foreign")
PAGE = (PROJECT / "engine/README.md").read_text()


def _block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def _run(command: str, directory: Path) -> "subprocess.CompletedProcess[str]":
    # The build of the distributions takes hatchling from where the tests run, and so needs no index.
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PIP_NO_BUILD_ISOLATION": "0"}
    return subprocess.run(
        ["sh", "-c", command],
        cwd=directory,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """The directory of the module, beside a checkout of this repository; its tests hold what the page shows, too."""
    directory = shutil.copytree(FOREIGN, tmp_path / "module", ignore=shutil.ignore_patterns("__pycache__"))
    (directory / "tests/test_page.py").write_text(_block("python"))
    shutil.copytree(PROJECT / "engine", tmp_path / "ska-base-images/engine")
    return directory


def test_the_commands_of_the_page_run_the_tests_of_a_module(module: Path, store: Path, engine: object) -> None:
    prepare, install, run = _block("sh").splitlines()
    _succeeds(prepare, module)
    (site,) = module.glob(".venv/lib/python3*/site-packages")
    # What is installed here already is not fetched; what is editable here is not found that way.
    (site / "installed.pth").write_text(sysconfig.get_path("purelib"))
    _succeeds(install, module)
    tests = _succeeds(run.replace("embedded_engine.session", f"embedded_engine.session --store={store}"), module)
    assert re.search(r"^=+ 5 passed", tests, re.MULTILINE), tests
    where = _succeeds(".venv/bin/python -c 'import embedded_engine; print(embedded_engine.__file__)'", module)
    assert where.strip() == f"{site}/embedded_engine/__init__.py"


def _succeeds(command: str, directory: Path) -> str:
    done = _run(command, directory)
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


def _session(store: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, "-m", "embedded_engine.session", f"--store={store}", *command]
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -9 $$", 137)])
def test_a_session_ends_with_the_exit_code_of_its_command(tmp_path: Path, script: str, code: int) -> None:
    assert _session(tmp_path / "store", "sh", "-c", script).returncode == code


@pytest.mark.slow
def test_a_command_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = _session(tmp_path / "store", "no-such-program")
    assert (done.returncode, done.stderr) == (
        2,
        "Error: The program 'no-such-program' cannot be run: No such file or directory; name another.\n",
    )
