"""Where the embedded engine says what to do, the command line says with which flag."""

import subprocess
import sys
from pathlib import Path

import pytest
from embedded_engine.host import errors

from pipeline.cli.remedies import REMEDIES, with_remedy
from tests.cli.test_run import cli

ROOT = Path(__file__).parents[2]


def test_every_error_that_the_engines_user_can_correct_has_an_entry() -> None:
    assert {cls.code for cls in errors.UserError.__subclasses__()} == REMEDIES.keys()


def test_what_is_not_served_is_run_on_daggers_engine() -> None:
    assert with_remedy(str(errors.NotServed("Container.asService")), errors.NotServed.code) == (
        "The embedded engine does not serve Container.asService; run this on Dagger's engine: `dagger call …`, or "
        "`--engine dagger`."
    )


def test_an_error_that_nobody_foresaw_stays_as_it_is() -> None:
    assert with_remedy("A defect.", "INTERNAL") == "A defect."


@pytest.mark.slow
@pytest.mark.parametrize("words", [["cache", "--prune"], ["images"]])
def test_a_directory_that_is_not_a_store_is_refused_with_the_flag_for_another(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "file").write_text("data")
    sentences = {
        tmp_path: f"The directory {tmp_path} is neither empty nor a store, so it was left unchanged;",
        tmp_path / "file": f"The store needs a directory, and {tmp_path}/file is a file;",
    }
    for place, sentence in sentences.items():
        argv = [sys.executable, "-m", "pipeline", f"--store={place}", *words]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (2, f"Error: {sentence} choose another directory with --store.\n")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.slow
def test_a_stand_in_of_another_release_is_refused_with_the_flag_for_an_archive(store: Path) -> None:
    other = "debian-12" if "ID=ubuntu" in Path("/etc/os-release").read_text() else "ubuntu-22.04"
    run = cli("--store", store, f"--base=bootstrap:{other}", "build", "--image=ska-base", "user")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("Error: This machine is ")
    assert run.stderr.endswith(", or give --base-archive.\n")
