"""What surrounds the command line: its streams, directory, files, variables and signals. Each fault is one sentence."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.test_run import ROOT, argv, cli

pytestmark = pytest.mark.slow

#: As a user gives a command; the shell makes of the streams what the case wants.
SHELL = 'exec "$0" -m pipeline {words} {streams}'


def shell(words: str, streams: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["sh", "-c", SHELL.format(words=words, streams=streams), sys.executable],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def refused(run: "subprocess.CompletedProcess[str]") -> str:
    """Return the sentence of a refusal, which is the whole output."""
    assert (run.returncode, run.stdout) == (2, ""), run.stderr
    assert len(run.stderr.splitlines()) == 1, run.stderr
    return run.stderr.removeprefix("Error: ").rstrip("\n")


@pytest.mark.parametrize("words", ["--version", "--help", "--engine embedded images"])
@pytest.mark.parametrize(
    ("streams", "why"), [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")]
)
def test_a_standard_output_that_takes_nothing_is_an_error(words: str, streams: str, why: str) -> None:
    run = shell(words, streams)
    assert refused(run) == f"The result cannot be written to standard output: {why}."


def test_a_reader_that_has_gone_is_an_error() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    words = [sys.executable, "-m", "pipeline", "--help"]
    with os.fdopen(write_end, "wb") as pipe:
        run = subprocess.run(words, cwd=ROOT, stdout=pipe, stderr=subprocess.PIPE, text=True, check=False)
    assert (run.returncode, run.stderr) == (
        2,
        "Error: The result cannot be written to standard output: Broken pipe.\n",
    )


@pytest.mark.parametrize("streams", ["2>/dev/full", "2>&-"])
def test_a_standard_error_that_takes_nothing_changes_no_exit_code(streams: str) -> None:
    right, wrong = shell("--version", streams), shell("bild", streams)
    assert (right.returncode, right.stdout[:11]) == (0, "ska-images ")
    assert (wrong.returncode, wrong.stdout) == (2, "")


def test_a_closed_standard_input_is_an_empty_one() -> None:
    run = shell("--engine embedded images", "<&-")
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_any_text_can_be_written_in_any_encoding(encoding: str) -> None:
    run = cli("bild→", PYTHONIOENCODING=encoding)
    assert refused(run).startswith('unknown function "bild\\u2192"')


def test_the_locale_c_changes_nothing() -> None:
    assert cli("--help", LC_ALL="C", LANG="C").stdout == cli("--help").stdout


def test_an_argument_that_is_not_utf_8_is_refused() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pipeline", "--team", b"\xff", "images"], cwd=ROOT, capture_output=True, check=False
    )
    assert (run.returncode, run.stderr) == (2, b"Error: the argument b'\\xff' is not UTF-8; write it in UTF-8.\n")


def test_a_variable_that_is_not_utf_8_is_refused() -> None:
    variables = {**{os.fsencode(k): os.fsencode(v) for k, v in os.environ.items()}, b"SKA_TEAM": b"\xff"}
    words = [sys.executable, "-m", "pipeline", "metadata", "--image=ska-base"]
    run = subprocess.run(words, cwd=ROOT, env=variables, capture_output=True, check=False)
    assert run.returncode == 2
    assert run.stderr.startswith(b"Error: The value '\\udcff' of the setting team holds")


def test_a_directory_that_is_gone_is_refused(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = 'cd "$1" && rmdir "$1" && exec "$0" -m pipeline images'
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = ["sh", "-c", script, sys.executable, str(gone)]
    run = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert refused(run) == "the working directory cannot be used (No such file or directory); change to another one."


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            {"DAGGER_SESSION_PORT": "x"},
            "DAGGER_SESSION_PORT is 'x', which is not a port; unset it, or use `dagger run`.",
        ),
        (
            {"DAGGER_SESSION_PORT": "65536"},
            "DAGGER_SESSION_PORT is '65536', which is not a port; unset it, or use `dagger run`.",
        ),
        (
            {"DAGGER_SESSION_PORT": "9"},
            "DAGGER_SESSION_PORT is set without DAGGER_SESSION_TOKEN; set both, or neither.",
        ),
    ],
)
@pytest.mark.parametrize("words", [("images",), ("build-all",)])
def test_half_a_session_is_refused(words: tuple[str, ...], variables: dict[str, str], sentence: str) -> None:
    assert refused(cli(*words, **variables)) == sentence


def test_labels_that_are_not_json_are_refused_with_an_example(store: Path) -> None:
    run = cli("--store", store, "metadata", "--image=ska-base", SKA_LABEL="a=b")
    example = """write it as in SKA_LABEL='["key=value"]'."""
    assert refused(run) == f"The setting 'label' is a list, and its value is not JSON; {example}"


@pytest.mark.parametrize("created", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_that_utc_does_not_have_is_refused(created: str, store: Path) -> None:
    run = cli("--store", store, "metadata", "--image=ska-base", "--created", created)
    assert refused(run).startswith(
        f"The time of creation '{created}' is not a time since 1970 in ISO 8601; write it as"
    )


@pytest.mark.parametrize("days", ["1e300", "inf", "nan", "-1", "9" * 5000])
def test_a_number_of_days_that_no_calendar_has_is_refused(days: str, store: Path) -> None:
    run = cli("--store", store, "metadata", "--image=ska-base", SKA_SCAN_DATABASE_DAYS=days)
    assert refused(run).startswith("The setting scan_database_days takes a number of days such as 3 or 0.5, not '")


@pytest.mark.parametrize("age", ["9" * 5000 + "d", "٣d", "1e9w"])
def test_an_age_that_is_no_number_is_refused(age: str) -> None:
    assert refused(cli("cache", "--prune", "--older-than", age)).startswith("--older-than takes an age such as 12h")


@pytest.mark.parametrize(
    "text", ["[global]\nindex-url\n", "index-url = x\n", "[global]\na=1\na=2\n", "[global]\na=\udcff\n"]
)
def test_a_malformed_pip_conf_is_named_and_not_repeated(text: str, tmp_path: Path, store: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_bytes(os.fsencode(text))
    run = cli("--store", store, "images", PIP_CONFIG_FILE=str(file))
    assert refused(run).startswith(f"pip's settings in {file} cannot be read (")
    assert "index-url" not in run.stderr


def test_a_store_that_is_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "store"
    file.write_text("a letter")
    for words in (("images",), ("cache",), ("build-all",)):
        assert str(file) in refused(cli("--store", file, *words))
    assert file.read_text() == "a letter"


def test_a_result_is_not_written_over_a_directory(tmp_path: Path, store: Path) -> None:
    run = cli("--store", store, "images", "-o", tmp_path)
    assert refused(run) == f"{tmp_path}: Is a directory."
    assert list(tmp_path.parent.glob(".*.partial")) == []


def test_a_container_is_not_written_over_a_directory_and_not_built_before_that_is_said(
    tmp_path: Path, store: Path
) -> None:
    run = cli("--store", store, "build", "--image=ska-base", "-o", tmp_path)
    assert (
        refused(run) == f'--output takes the name of a file here, and "{tmp_path}" is a directory; give a file in it.'
    )
    assert "started" not in run.stderr


def test_a_result_is_not_written_below_a_file(tmp_path: Path, store: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert refused(cli("--store", store, "images", "-o", file / "result")) in (
        f"{file}: File exists.",
        f"{file}: Not a directory.",
    )


def test_the_home_of_a_user_who_does_not_exist_is_a_name_like_any_other(store: Path) -> None:
    run = cli("--store", store, "--base-archive", "~nobody-at-all/base.tar", "images")
    assert "is not one" in refused(run)


@pytest.mark.parametrize("module", ["pydantic", "anyio", "pipeline.cli.app"])
def test_an_interrupt_while_modules_are_imported_is_one_word(module: str) -> None:
    # A shell starts what runs in the background with SIGINT ignored.
    words = ["env", "--default-signal=INT", sys.executable, "-X", "importtime", "-m", "pipeline", "images"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        # A line of -X importtime says that a module has been imported.
        for line in process.stderr:
            if line.split("|")[-1].strip().startswith(module):
                process.send_signal(signal.SIGINT)
                break
        rest = [line for line in process.stderr if not line.startswith("import time:")]
    assert rest == ["Interrupted.\n"]
    assert process.returncode == 130


def test_an_interrupt_while_the_engine_starts_is_one_word(tmp_path: Path) -> None:
    words = argv("--store", tmp_path / "store", "images")
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not children.read_text():
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate()
    assert (process.returncode, stderr) == (130, "Interrupted.\n")
