"""The command line as a process, on the embedded engine."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("DAGGER_", "SKA_"))}


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "pipeline", *words]


def cli(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(*words),
        cwd=ROOT,
        env=environment() | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_version_is_printed() -> None:
    run = cli("--version")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("ska-images ")


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("build", "--help"), ("--help", "build")])
def test_help_goes_to_standard_output(words: tuple[str, ...]) -> None:
    run = cli(*words)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("Usage: ska-images")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("bild",), 'Error: unknown function "bild"; did you mean build?\n'),
        (("build",), 'Error: required flag(s) "image" not set\n'),
        (
            ("--base-archive", "nowhere.tar", "images"),
            'Error: --base-archive takes the path of a file, and there is none at "nowhere.tar".\n',
        ),
    ],
)
def test_a_wrong_word_is_one_sentence_and_exit_code_2(words: tuple[str, ...], sentence: str) -> None:
    run = cli(*words)
    assert (run.returncode, run.stdout, run.stderr) == (2, "", sentence)


def test_the_result_alone_goes_to_standard_output() -> None:
    run = cli("images")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)[0]["name"] == "ska-base"


def test_a_text_is_written_to_the_output(tmp_path: Path) -> None:
    output = tmp_path / "new" / "images.json"
    run = cli("images", "-o", str(output))
    assert run.stdout == ""
    assert run.stderr == f'Saved to "{output}".\n'
    assert json.loads(output.read_text())
    assert list(output.parent.iterdir()) == [output]
