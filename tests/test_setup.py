"""scripts/setup.sh on machines that lack something: one sentence, and nothing half done."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
NOBODY = 65534
#: What the script calls before it installs anything.
TOOLS = ("sh", "dirname", "id", "sed")


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A directory with the script, without .venv, that anyone can read: pytest's own are the user's alone."""
    with tempfile.TemporaryDirectory(prefix="checkout-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        (directory / "scripts").mkdir()
        for file in ("scripts/setup.sh", "requirements-dev.lock", "pyproject.toml"):
            shutil.copy(ROOT / file, directory / file)
        yield directory


def _setup(checkout: Path, *arguments: str, user: int | None = None, **environment: str) -> tuple[int, str]:
    """Run the script; return its exit code and its output."""
    done = subprocess.run(
        [checkout / "scripts/setup.sh", *arguments],
        env={**os.environ, **environment},
        user=user,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def _bare_machine(directory: Path, *programs: str) -> str:
    """Return a PATH on which only these programs are found."""
    (directory / "bin").mkdir()
    for name in (*TOOLS, *programs):
        (directory / "bin" / name).symlink_to(f"/usr/bin/{name}")
    return str(directory / "bin")


def test_it_says_nothing_when_all_is_in_place() -> None:
    assert _setup(ROOT, "--tests") == (0, "")


def test_it_refuses_an_argument_that_it_does_not_know(checkout: Path) -> None:
    assert _setup(checkout, "--test") == (1, "setup: unknown argument '--test'; it takes --tests or nothing\n")


def test_it_refuses_an_interpreter_that_is_too_old_or_none(checkout: Path) -> None:
    code, output = _setup(checkout, PYTHON="/bin/false")
    assert (code, output) == (
        1,
        "setup: /bin/false is no Python 3.10 or later; name one that is: PYTHON=/path/to/python3\n",
    )
    assert not (checkout / ".venv").exists()


def test_it_says_what_a_system_without_apt_has_to_install(checkout: Path) -> None:
    code, output = _setup(checkout, PATH=_bare_machine(checkout))
    assert code == 1
    assert output.startswith("setup: apt-get is not here and this is missing: ")
    assert "skopeo mmdebstrap " in output


def test_it_says_what_root_has_to_install_for_a_user_without_sudo(checkout: Path) -> None:
    code, output = _setup(checkout, PATH=_bare_machine(checkout, "apt-get"), user=NOBODY)
    assert code == 1
    assert output.startswith("setup: this is missing and takes root or sudo to install: ")
    assert "skopeo mmdebstrap " in output
    # Root's engine makes no user namespace.
    assert "uidmap" in output
    assert "uidmap" not in _setup(checkout, PATH=f"{checkout}/bin")[1]


def test_it_says_that_pip_failed_and_makes_the_environment_again_next_time(checkout: Path) -> None:
    (checkout / "requirements-dev.lock").write_text("anyio==4.4.0 --hash=sha256:" + 64 * "0" + "\n")
    code, output = _setup(checkout, PIP_NO_INDEX="1")
    assert code == 1
    assert output.splitlines()[-1].startswith("setup: pip could not fill .venv; its own message stands above")
    assert not (checkout / ".venv/setup-stamp").exists()
