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
from dagger import dag

from dev.bench import others, variants
from dev.bench.__main__ import COMPARISONS, _arguments
from dev.bench.dockerfiles import Host, _Writer, context
from dev.bench.measure import INTERVAL, BenchError, Measured, Measuring, descendants, program_of, run
from dev.bench.table import Comparison, document, ratio, table
from pipeline.build.inputs import Base, Build
from pipeline.build.labelling import labels_of
from pipeline.build.settings import Settings
from pipeline.catalogue.families import by_name, chain

HOST = Host({"PIP_CERT": "/run/host/ca.crt"}, {"/run/host/ca.crt": "certificate"})
BASE = "bootstrap:debian-12"


@pytest.fixture(scope="module")
def build() -> Build:
    return Build(Settings(base=BASE), Base(dag.container(), BASE))


@pytest.fixture(scope="module")
def files(build: Build) -> dict[str, str]:
    return context(build.settings, BASE, HOST)


def _commands(dockerfile: str) -> list[list[str]]:
    return [json.loads(line[line.index('["') :]) for line in dockerfile.splitlines() if line.startswith("RUN ")]


def _executed(name: str, build: Build) -> list[list[str]]:
    calls: Any = chain(name, build)._ctx.selections
    return [call.args["args"] for call in calls if call.name == "withExec"]


@pytest.mark.parametrize("name", list(by_name()))
def test_dockerfiles_run_the_commands_of_the_chains(name: str, build: Build, files: dict[str, str]) -> None:
    parent = by_name()[name].parent
    own = _executed(name, build)[len(_executed(parent, build)) if parent else 0 :]
    assert own
    assert _commands(files[f"{name}.Dockerfile"]) == [["env", "PIP_CERT=/run/host/ca.crt", *words] for words in own]


@pytest.mark.parametrize("name", list(by_name()))
def test_dockerfiles_write_the_same_labels(name: str, build: Build, files: dict[str, str]) -> None:
    lines = re.findall(r'^LABEL (".*")=(".*")$', files[f"{name}.Dockerfile"], re.MULTILINE)
    written = {json.loads(key): json.loads(value) for key, value in lines}
    assert written == labels_of(by_name()[name], build)


def test_what_dockerfiles_copy_and_mount_is_there(files: dict[str, str]) -> None:
    for name in by_name():
        words = files[f"{name}.Dockerfile"].replace(",", " ").split()
        copied = [words[place + 1] for place, word in enumerate(words) if word == "COPY"]
        mounted = [word.removeprefix("source=") for word in words if word.startswith("source=")]
        assert copied
        assert "host/run/host/ca.crt" in mounted
        assert set(copied) | set(mounted) <= files.keys()


def test_a_call_without_a_line_of_its_own_is_refused() -> None:
    calls: Any = dag.container().with_workdir("/src")._ctx.selections
    with pytest.raises(ValueError, match="withWorkdir of ska-x has no line"):
        _Writer("ska-x", HOST, {}).dockerfile(list(calls)[1:])


def _catalogue(project: Path) -> str:
    program = "import pipeline.catalogue.families as i; print(*i.by_name())"
    return run([sys.executable, "-c", program], cwd=project).strip()


def test_a_variant_has_eight_images(tmp_path: Path) -> None:
    assert len(_catalogue(variants.with_eight_images(tmp_path / "eight")).split()) == 2 * len(by_name())


def test_a_variant_changes_ska_python_alone(tmp_path: Path) -> None:
    program = """
import pipeline.catalogue.families as i
from dagger import dag
from pipeline.build.inputs import Base, Build
from pipeline.build.settings import Settings
b = Build(Settings(created="2026-01-01"), Base(dag.container(), "x@y"))
for name in i.by_name():
    print(name, [c.args for c in i.chain(name, b)._ctx.selections if c.name == "withExec"])
"""
    changed = variants.with_changed_python(tmp_path / "changed")
    was, now = (run([sys.executable, "-c", program], cwd=at).splitlines() for at in (variants.ROOT, changed))
    assert [one.split()[0] for one, other in zip(was, now, strict=True) if one != other] == ["ska-python"]


def test_a_variant_that_finds_nothing_to_change_says_so(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="has 0 places"):
        variants._edited(variants.copy(tmp_path / "copy"), "no such text", "")


def test_memory_is_counted_by_program(tmp_path: Path) -> None:
    (tmp_path / "skopeo").symlink_to("/bin/sleep")
    process = subprocess.Popen([tmp_path / "skopeo", "60"])
    try:
        with Measuring() as measuring:
            threading.Event().wait(5 * INTERVAL)
        assert process.pid in descendants(os.getpid())
        assert program_of(process.pid) == "skopeo"
    finally:
        process.kill()
        process.wait()
    assert 0 < measuring.result().peaks["skopeo"] <= measuring.result().together


def test_a_command_that_fails_is_shown_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"(?s)failed with 3.*because"):
        run(["sh", "-c", "echo because; exit 3"], cwd=tmp_path)


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


@pytest.mark.parametrize(("limit", "said"), [(200, "below 200"), (90, "ABOVE 90")])
def test_the_table_says_whether_a_process_needs_too_much_memory(limit: int, said: str) -> None:
    (line,) = [line for line in table(RESULTS, [], limit * 1_000_000).splitlines() if line.startswith("ours: ")]
    assert line.split("  ")[0] == "ours: client 90, engine 80"
    assert line.endswith(said)


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
    assert sorted(done) == sorted(by_name())


def test_a_failed_build_side_by_side_is_raised() -> None:
    def one(name: str, parent: str | None) -> None:
        if name == "ska-build":
            raise BenchError("ska-build does not build")

    with pytest.raises(BenchError, match="ska-build does not build"):
        others.side_by_side(one)
