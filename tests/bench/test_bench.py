"""The parts of `make bench`, without a builder and without a clock."""

import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from embedded_engine.session import Session

from dev.bench import others, variants
from dev.bench.__main__ import COLD, COMPARISONS, _arguments, main
from dev.bench.accounting import Accounting
from dev.bench.dockerfiles import Host, context
from dev.bench.measure import INTERVAL, BenchError, Measured, Measuring, descendants, program_of, run
from dev.bench.ours import Project
from dev.bench.table import Comparison, document, ratio, table
from pipeline.build.inputs import Build
from pipeline.build.labelling import labels_of
from pipeline.build.settings import Settings
from pipeline.catalogue.image import Image
from tests.built_images import OF_ONE_LINE, build_on

HOST = Host({"PIP_CERT": "/run/host/ca.crt"}, {"/run/host/ca.crt": "certificate"})
BASE = "bootstrap:debian-12"
#: A process that computes for half a second.
BUSY = "import time\nwhile time.process_time() < 0.5: pass"


@pytest.fixture(scope="module")
def build() -> Build:
    return build_on(Settings(base=BASE), BASE)


@pytest.fixture(scope="module")
def files(build: Build) -> dict[str, str]:
    return context(build.settings, BASE, HOST)


@pytest.mark.parametrize("image", OF_ONE_LINE.values(), ids=lambda image: image.name)
def test_dockerfiles_run_the_commands_of_the_catalogue(image: Image, files: dict[str, str]) -> None:
    lines = files[f"{image.name}.Dockerfile"].splitlines()
    (words,) = [json.loads(line[line.index('["') :]) for line in lines if line.startswith("RUN ")]
    assert words == ["env", "PIP_CERT=/run/host/ca.crt", *image.install.argv(image.name)]


@pytest.mark.parametrize("image", OF_ONE_LINE.values(), ids=lambda image: image.name)
def test_dockerfiles_write_the_same_labels(image: Image, build: Build, files: dict[str, str]) -> None:
    lines = re.findall(r'^LABEL (".*")=(".*")$', files[f"{image.name}.Dockerfile"], re.MULTILINE)
    written = {json.loads(key): json.loads(value) for key, value in lines}
    assert written == labels_of(image, build)


def test_what_dockerfiles_copy_and_mount_is_there(files: dict[str, str]) -> None:
    for name in OF_ONE_LINE:
        words = files[f"{name}.Dockerfile"].replace(",", " ").split()
        copied = [words[place + 1] for place, word in enumerate(words) if word == "COPY"]
        mounted = [word.removeprefix("source=") for word in words if word.startswith("source=")]
        assert copied
        assert "host/run/host/ca.crt" in mounted
        assert set(copied) | set(mounted) <= files.keys()


def _catalogue(project: Path) -> dict[str, str]:
    """Return what each image of a project installs, as text."""
    program = """
from pipeline.catalogue.image import Image
from pipeline.catalogue.lookup import by_name
for name, image in by_name().items():
    if not image.line.suffix:
        print(name, image.install)
"""
    lines = run([sys.executable, "-c", program], cwd=project).splitlines()
    return dict(line.split(" ", 1) for line in lines)


@pytest.mark.slow
def test_a_variant_has_eight_images(tmp_path: Path) -> None:
    assert len(_catalogue(variants.with_eight_images(tmp_path / "eight"))) == 2 * len(OF_ONE_LINE)


@pytest.mark.slow
def test_a_variant_has_as_many_images_more_as_asked_for(tmp_path: Path) -> None:
    assert len(_catalogue(variants.with_many_images(tmp_path / "many", 100))) == len(OF_ONE_LINE) + 100


@pytest.mark.slow
def test_a_variant_changes_ska_python_alone(tmp_path: Path) -> None:
    was, now = _catalogue(variants.ROOT), _catalogue(variants.with_changed_python(tmp_path / "changed"))
    assert was.keys() == now.keys()
    assert [name for name in was if was[name] != now[name]] == ["ska-python"]
    # Its checks pass only if all else stays.
    assert now["ska-python"].replace(", 'less')", ")") == was["ska-python"]


def test_memory_is_counted_by_program_and_what_processes_share_once() -> None:
    fork = "import os, sys; held = bytearray(64 << 20); os.fork(); print('ready\\n', end='', flush=True); input()"
    argv = ["skopeo", "-c", fork]
    with subprocess.Popen(argv, executable=sys.executable, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert [process.stdout.readline() for _ in range(2)] == [b"ready\n"] * 2
        with Measuring() as measuring:
            threading.Event().wait(5 * INTERVAL)
        assert process.pid in descendants(os.getpid())
        assert program_of(process.pid) == "skopeo"
        process.communicate()
    found = measuring.result()
    assert found.peaks["skopeo"] > 64 << 20
    assert 64 << 20 < found.together < 2 * (64 << 20)


async def test_the_memory_of_the_engine_is_counted(engine: Session) -> None:
    programs = {program_of(process): process for process in descendants(os.getpid())}
    assert Path(f"/proc/{programs['engine']}/exe").resolve() == Path(sys.executable).resolve()


def test_a_command_that_fails_is_shown_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"(?s)failed with 3.*because"):
        run(["sh", "-c", "echo because; exit 3"], cwd=tmp_path)


# The kernel keeps one account, which ends with the first that is closed: these tests and the next run in one process.
def test_the_kernel_accounts_for_what_a_step_computes_or_tells_why_not(tmp_path: Path) -> None:
    script = f"{sys.executable} -c '{BUSY}'"
    with Accounting(tmp_path / "accounts") as accounting:
        run(["sh", "-euc", script, "ska-base: check locale as nonroot"], cwd=tmp_path)
        run([sys.executable, "-c", BUSY], cwd=tmp_path)
    # A container without CAP_SYS_PACCT has no accounts.
    found = {kind for kind, seconds in accounting.by_kind().items() if seconds >= 0.2}
    assert found == (set() if accounting.refusal else {"check locale", "other processes"})


def test_where_the_kernel_keeps_no_accounts_the_reason_is_known(tmp_path: Path) -> None:
    (tmp_path / "accounts").symlink_to(tmp_path)
    accounting = Accounting(tmp_path / "accounts")
    with accounting:
        pass
    assert accounting.refusal in ("Is a directory", "Operation not permitted")


def test_a_row_that_fails_loses_no_row_before_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def fail(_: Project) -> Measured:
        raise BenchError("no space")

    monkeypatch.setattr(Project, "cold", lambda _: Measured(1.25, 2.5))
    monkeypatch.setattr(Project, "unchecked", fail)
    assert main([f"--base-archive={tmp_path / 'base.tar'}", f"--directory={tmp_path}"]) == 1
    printed = capsys.readouterr()
    assert re.search(rf"^{COLD} +1\.25 +2\.50 +1$", printed.out, re.MULTILINE)
    assert printed.err.endswith("bench: not all was measured: no space\n")


RESULTS = {
    "ours": [Measured(4.0, 5.0, {"client": 90_000_000, "engine": 80_000_000, "steps": 9}, 170_000_000)],
    "theirs": [Measured(seconds, 9.0, {"dockerd": 300_000_000}, 300_000_000) for seconds in (10.0, 1.0, 8.0)],
}


def test_ratios_are_of_medians() -> None:
    assert ratio(RESULTS, Comparison("ours", "theirs")) == 0.5


@pytest.mark.parametrize(("aim", "verdict"), [(0.5, "met"), (0.49, "missed")])
def test_the_table_says_whether_an_aim_is_met(aim: float, verdict: str) -> None:
    (line,) = [
        line for line in table(RESULTS, [Comparison("ours", "theirs", aim)], 1).splitlines() if "ours / " in line
    ]
    assert line.split()[-4:] == ["0.50", "<=", str(aim), verdict]


@pytest.mark.parametrize(("limit", "verdict"), [(200, "below 200"), (90, "ABOVE 90")])
def test_the_table_says_whether_a_process_needs_too_much_memory(limit: int, verdict: str) -> None:
    (line,) = [line for line in table(RESULTS, [], limit * 1_000_000).splitlines() if line.startswith("ours: ")]
    assert line.split("  ")[0] == "ours: client 90, engine 80"
    assert line.endswith(verdict)


def test_what_was_not_measured_is_not_compared() -> None:
    assert "absent" not in table(RESULTS, [Comparison("ours", "absent", 1.0)], 1)


def test_json_holds_every_run() -> None:
    made = json.loads(json.dumps(document(RESULTS, [Comparison("ours", "theirs", 0.5)], {"cores": 2})))
    assert [one["seconds"] for one in made["results"]["theirs"]] == [10.0, 1.0, 8.0]
    assert made["ratios"] == [{"what": "ours", "against": "theirs", "aim": 0.5, "ratio": 0.5}]
    assert made["machine"]["cores"] == 2


@pytest.mark.parametrize("words", [["--runs", "0"], ["--runs", "many"], ["--unknown"]])
def test_malformed_arguments_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        _arguments(words)
    assert ended.value.code == 2
    assert words[0] in capsys.readouterr().err


def test_arguments_have_their_defaults() -> None:
    given = _arguments([])
    assert (given.runs, given.quick_runs, given.base_archive, given.json, given.alone) == (1, 5, None, None, False)


def test_every_builder_is_compared() -> None:
    assert others.PACKAGES.keys() <= {one.against for one in COMPARISONS}


@pytest.mark.parametrize("each", [others.in_order, others.side_by_side])
def test_parents_are_built_before_their_children(each: Any) -> None:
    done: list[str] = []

    def one(name: str, parent: str | None) -> None:
        assert parent is None or parent in done
        done.append(name)

    each(one)
    assert sorted(done) == sorted(OF_ONE_LINE)


def test_a_failed_build_side_by_side_is_raised() -> None:
    def one(name: str, parent: str | None) -> None:
        if name == "ska-build":
            raise BenchError("ska-build does not build")

    with pytest.raises(BenchError, match="ska-build does not build"):
        others.side_by_side(one)
