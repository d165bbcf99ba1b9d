"""The command line as a process; what needs an engine runs on the embedded one."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import IO

import pytest
from embedded_engine.session import Session

from tests import program
from tests.built_images import OF_ONE_LINE
from tests.conftest import Built
from tests.registry import running

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CONTROL_CHARACTER = "\x1b"


def arguments(*words: object) -> list[str]:
    return ["--progress", "plain", *map(str, words)]


def argv(*words: object) -> list[str]:
    return [sys.executable, "-m", "pipeline", *arguments(*words)]


def cli(*words: object, **variables: str) -> "subprocess.CompletedProcess[str]":
    return program.run(arguments(*words), ROOT, os.environ | variables)


def on_stand_in(store: Path, *words: object) -> "subprocess.CompletedProcess[str]":
    return cli("--store", store, "--base", "bootstrap:auto", *words)


def test_the_version_is_printed() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pipeline", "--version"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.startswith("ska-images ")


def test_the_version_is_known_without_the_sdk() -> None:
    program = "import sys, pipeline.cli.app as a; a.main(['--version']); sys.exit('dagger' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


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
            'Error: --base-archive takes the path of a file, and "nowhere.tar" is not one.\n',
        ),
        (
            ("metadata", "--image=ska-pyton", "--base=bootstrap:auto"),
            "Error: There is no image 'ska-pyton'; did you mean 'ska-python'?"
            f" The images of ubuntu22 are {', '.join(OF_ONE_LINE)}.\n",
        ),
    ],
)
def test_a_wrong_word_is_one_sentence_and_exit_code_2(words: tuple[str, ...], sentence: str, store: Path) -> None:
    run = cli("--store", store, *words)
    assert (run.returncode, run.stdout, run.stderr) == (2, "", sentence)


def test_a_malformed_setting_is_refused_before_anything_is_said_of_the_base(store: Path) -> None:
    run = cli("--store", store, "build", "--image", "ska-python", "--created", "yesterday")
    assert run.returncode == 2
    assert run.stderr.startswith("Error: The time of creation 'yesterday'")


def test_the_result_alone_goes_to_standard_output(store: Path) -> None:
    run = cli("--store", store, "images")
    assert (run.returncode, run.stderr) == (0, "")
    assert json.loads(run.stdout)[0]["name"] == "ska-base"


def test_json_is_indented_by_4(built: Built, store: Path) -> None:
    run = on_stand_in(store, "--json", "ska-base", "with-label", "--name=a", "--value=b", "label", "--name=a")
    assert run.stdout == '"b"\n'
    run = on_stand_in(store, "--json", "ska-base", "with-default-args", "--args=a,b", "default-args")
    assert run.stdout == '[\n    "a",\n    "b"\n]\n'


def test_a_text_is_written_to_the_output(store: Path, tmp_path: Path) -> None:
    output = tmp_path / "new" / "images.json"
    run = cli("--store", store, "images", "-o", output)
    assert (run.stdout, run.stderr) == ("", f'Saved to "{output}".\n')
    assert json.loads(output.read_text())
    assert list(output.parent.iterdir()) == [output]


def test_functions_are_called_on_the_image(built: Built, store: Path) -> None:
    run = on_stand_in(store, "ska-python", "with-exec", "--args=python,-c,print(6*7)", "stdout")
    assert (run.returncode, run.stdout) == (0, "42\n")


def test_a_file_of_the_image_is_printed(built: Built, store: Path) -> None:
    run = on_stand_in(store, "ska-python", "file", "--path=/etc/skao.metadata", "contents")
    assert run.stdout == on_stand_in(store, "metadata", "--image=ska-python").stdout


def test_a_list_is_one_line_an_entry(built: Built, store: Path) -> None:
    run = on_stand_in(store, "ska-base", "directory", "--path=/home", "entries")
    assert run.stdout.split("\n") == ["nonroot/", ""]


def test_an_image_without_output_is_evaluated_and_named(built: Built, store: Path) -> None:
    run = on_stand_in(store, "ska-base")
    assert run.returncode == 0
    assert run.stdout.startswith("Container@")
    assert len(run.stdout.splitlines()) == 1


def test_an_image_is_exported_as_an_archive(built: Built, store: Path, tmp_path: Path) -> None:
    output = tmp_path / "ska-base.tar"
    run = on_stand_in(store, "ska-base", "-o", output)
    assert run.returncode == 0, run.stderr
    names = subprocess.run(["tar", "-tf", output], capture_output=True, text=True, check=True).stdout
    assert "index.json" in names.split()
    assert list(tmp_path.iterdir()) == [output]


def test_a_published_container_is_named(built: Built, store: Path, tmp_path: Path) -> None:
    with running(tmp_path) as host:
        run = on_stand_in(store, "ska-base", "publish", f"--address={host}/ska-base:1.0.0")
    assert run.returncode == 0, run.stderr
    assert re.fullmatch(rf"{host}/ska-base:1\.0\.0@sha256:[0-9a-f]{{64}}\n", run.stdout)


def test_a_failed_command_gives_its_exit_code_and_its_output(built: Built, store: Path) -> None:
    run = on_stand_in(store, "ska-base", "with-exec", '--args=sh,-c,"echo out; echo err >&2; exit 7"', "stdout")
    assert run.returncode == 7
    assert run.stdout == ""
    assert run.stderr.endswith("failed with exit code 7.\nStdout:\nout\nStderr:\nerr\n")
    assert "Traceback" not in run.stderr


def test_building_ends_with_a_table_and_a_sentence(built: Built) -> None:
    header, *images, _, closing = built.output.splitlines()[-len(OF_ONE_LINE) - 3 :]
    assert header.split() == ["IMAGE", "SIZE", "LAYERS", "CHECKS", "DIGEST", "TIME"]
    assert [line.split()[0] for line in images] == [image["name"] for image in built.report["images"]]
    assert f" {len(OF_ONE_LINE)} images " in f" {closing}"


def test_building_again_elsewhere_writes_the_archives_alone(built: Built, store: Path, tmp_path: Path) -> None:
    run = cli("--store", store, "build-all", "-o", tmp_path / "dist")
    assert run.returncode == 0, run.stderr
    *_, last = run.stdout.splitlines()
    assert last.startswith(
        f"Nothing to build: {len(OF_ONE_LINE)} images are up to date; archives written to {tmp_path}/dist/ ("
    )
    assert run.stdout.count("cached") == len(OF_ONE_LINE)


def test_json_of_build_all_is_the_report(built: Built, store: Path, tmp_path: Path) -> None:
    run = cli("--store", store, "build-all", "--json", "-o", tmp_path / "dist")
    assert json.loads(run.stdout) == built.report


def test_on_a_terminal_a_cached_build_is_one_line_an_image(built: Built, store: Path, tmp_path: Path) -> None:
    run = cli("--progress=tty", "--store", store, "build-all", "-o", tmp_path / "dist")
    assert run.returncode == 0, run.stderr
    for image in built.report["images"]:
        assert run.stderr.count(f"CACHED{CONTROL_CHARACTER}[0m  {image['name']} (") <= 1
    assert CONTROL_CHARACTER not in run.stdout


def start_sleeping(store: Path, number: str) -> "subprocess.Popen[str]":
    """Start a step that sleeps for so many seconds, and wait until it runs."""
    words = ("--store", store, "--base", "bootstrap:auto", "ska-base", "with-exec", f"--args=sleep,{number}", "stdout")
    process = subprocess.Popen(
        argv(*words), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    stderr: IO[str] = process.stderr  # type: ignore[assignment]
    for line in stderr:
        if line.rstrip().endswith(f"sleep {number}  started"):
            break
    return process


def processes_with(word: str) -> list[str]:
    """Return the command lines of the machine's processes that hold a word."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if os.fsencode(word) in words:
            found.append(str(words))
    return found


@pytest.mark.parametrize(
    ("number", "seconds", "code"), [(signal.SIGINT, "98701", 130), (signal.SIGTERM, "98702", 143)], ids=str
)
def test_an_interruption_leaves_no_container_and_no_mount(
    built: Built, store: Path, number: signal.Signals, seconds: str, code: int
) -> None:
    process = start_sleeping(store, seconds)
    # As a terminal does: to the whole group of processes.
    os.killpg(process.pid, number)
    _, stderr = process.communicate()
    assert stderr.endswith("Interrupted.\n")
    assert "failed" not in stderr
    assert process.returncode == code
    assert processes_with(seconds) == []
    assert str(store) not in Path("/proc/self/mounts").read_text()


def test_an_engine_that_dies_is_said_in_a_sentence_and_leaves_no_container(built: Built, store: Path) -> None:
    process = start_sleeping(store, "98703")
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(child), signal.SIGKILL)
    _, stderr = process.communicate()
    assert stderr.startswith("Error: The connection to the engine broke (")
    assert len(stderr.splitlines()) == 1
    assert process.returncode == 1
    assert processes_with("98703") == []


async def test_a_session_of_the_environment_serves_the_calls(engine: Session, tmp_path: Path) -> None:
    variables = {"DAGGER_SESSION_PORT": str(engine.port), "DAGGER_SESSION_TOKEN": engine.token}
    store = tmp_path / "unused"
    words = ("--store", store, "--base=bootstrap:auto", "metadata", "--image=ska-base")
    run = await asyncio.to_thread(partial(cli, *words, **variables))
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith('int.skao.image.created="')
    assert not store.exists()


DAGGER_SESSION = """
import asyncio, json, sys
from pathlib import Path
from embedded_engine.session import open_session

async def main():
    async with open_session(store=Path({store!r})) as session:
        print(json.dumps({{"port": session.port, "session_token": session.token}}), flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


def test_the_program_of_dagger_is_started_on_demand(store: Path, tmp_path: Path) -> None:
    # It answers as `dagger session` does; these tests do not need Dagger's own engine.
    program = tmp_path / "dagger"
    program.write_text(f"#!{sys.executable}\n{DAGGER_SESSION.format(store=str(store))}")
    program.chmod(0o755)
    words = ("--engine=dagger", "--base=bootstrap:auto", "metadata", "--image=ska-base")
    run = cli(*words, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith('int.skao.image.created="')
