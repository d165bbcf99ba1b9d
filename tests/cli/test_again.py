"""The record of a finished build-all: it answers while nothing has changed; every kind of change makes a real run."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from embedded_engine import unstarted
from embedded_engine.store.prepare import VERSION

from pipeline.cli import again, record
from pipeline.cli.again import Request
from pipeline.cli.options import REPORT, Options, split_options
from tests.built_images import OF_ONE_LINE
from tests.conftest import Built
from tests.registry import running

ROOT = Path(__file__).parents[2]

WORDS = ["build-all"]
PINNED = "127.0.0.1:9/ubuntu@sha256:" + "0" * 64


@pytest.fixture(autouse=True)
def _caches(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Caches of each test's own, but where a test looks at what the build of all tests left."""
    if "built" not in request.fixturenames:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))


@dataclass(frozen=True)
class Left:
    """What a run left: a small store, an output, and the record of both.

    Args:
        request: the run.
        options: its options.
        archive: one of its archives.
        snapshot: one of the store's snapshots.
    """

    request: Request
    options: Options
    archive: Path
    snapshot: Path


def _left(directory: Path, base: str, pinned: str = "") -> Left:
    store, output = directory / "store", directory / "dist"
    snapshot, archive = store / "snapshots" / "step", output / "ska-base.tar"
    snapshot.mkdir(parents=True)
    output.mkdir()
    (store / "version").write_text(f"{VERSION}\n")
    archive.write_text("layers")
    (output / REPORT).write_text(json.dumps({"lines": [{"base": base}], "images": [{"archive": archive.name}]}))
    options, words = split_options(["--store", str(store), "-o", str(output), *WORDS])
    request = again.request(options, words)
    assert request
    again.remember(request, options, words, {pinned: base} if pinned else {})
    assert request.record.exists()
    return Left(request, options, archive, snapshot)


@pytest.fixture
def left(tmp_path: Path) -> Left:
    return _left(tmp_path, "ubuntu:22.04@sha256:" + "0" * 64)


async def _answer(request: Request | None) -> str | None:
    assert request
    return await again.report(request, lambda text: None)


async def test_nothing_changed_is_answered_with_the_report(left: Left) -> None:
    assert await _answer(again.request(left.options, WORDS)) == (left.request.output / REPORT).read_text()


def _write(path: Path) -> None:
    status = path.stat()
    path.write_text("LAYERS")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _replace(path: Path) -> None:
    status = path.stat()
    path.rename(path.with_suffix(".old"))
    path.write_text("layers")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _become_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


SABOTAGES: dict[str, Callable[[Left], object]] = {
    "an archive is gone": lambda left: left.archive.unlink(),
    "an archive is shorter": lambda left: left.archive.write_text("half"),
    "an archive was written to and its time put back": lambda left: _write(left.archive),
    "an archive was replaced and its time put back": lambda left: _replace(left.archive),
    "the report is gone": lambda left: (left.request.output / REPORT).unlink(),
    "the output is gone": lambda left: shutil.rmtree(left.request.output),
    "a snapshot is gone": lambda left: left.snapshot.rmdir(),
    "the store is gone": lambda left: shutil.rmtree(left.request.store),
    "the store has no snapshots": lambda left: shutil.rmtree(left.request.store / "snapshots"),
    "the store has another layout": lambda left: (left.request.store / "version").write_text("99\n"),
    "the record is half": lambda left: left.request.record.write_text(left.request.record.read_text()[:100]),
    "the record is of another form": lambda left: left.request.record.write_text('{"files": 1}'),
    "the record is a directory": lambda left: _become_directory(left.request.record),
    "the record is empty": lambda left: left.request.record.write_text(""),
    "the record is gone": lambda left: left.request.record.unlink(),
}


@pytest.mark.parametrize("what", SABOTAGES)
async def test_what_a_run_left_must_be_as_it_was(what: str, left: Left) -> None:
    SABOTAGES[what](left)
    assert await _answer(left.request) is None


async def test_another_output_has_a_record_of_its_own(left: Left, tmp_path: Path) -> None:
    words = ["--store", str(left.request.store), "-o", str(tmp_path / "other"), *WORDS]
    assert await _answer(again.request(*split_options(words))) is None


async def test_pruning_forgets_the_records_of_what_is_gone(left: Left, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = _left(tmp_path / "other", "ubuntu:22.04@sha256:" + "0" * 64)
    shutil.rmtree(left.request.store)
    half = other.request.record.with_name("half.json")
    half.write_text("{")
    again.forget()
    assert [path for path in (left.request.record, half, other.request.record) if path.exists()] == [
        other.request.record
    ]


def test_no_record_is_kept_among_another_users_caches(
    left: Left, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caches = tmp_path / "of another"
    caches.mkdir()
    os.chown(caches, 12345, 12345)
    monkeypatch.setenv("XDG_CACHE_HOME", str(caches))
    assert again.request(left.options, WORDS) is None
    again.forget()


def test_no_record_is_kept_for_a_user_without_a_home(left: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "relative")
    assert again.request(left.options, WORDS) is None


async def test_where_no_record_can_be_written_the_next_run_is_a_real_one(
    left: Left, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    request = again.request(left.options, WORDS)
    assert request
    again.remember(request, left.options, WORDS, {})
    assert await _answer(request) is None


def test_of_two_runs_that_end_at_once_one_leaves_a_whole_record(left: Left) -> None:
    path = left.request.record
    program = (
        "import sys; from pathlib import Path; from pipeline.cli import record; "
        "from pipeline.cli.delivery import write_beside; path = Path(sys.argv[1]); found = record.read(path); "
        "[write_beside(path, record.text(found)) for _ in range(50)]"
    )
    runs = [subprocess.Popen([sys.executable, "-c", program, str(path)], cwd=ROOT) for _ in range(2)]
    expected = record.read(path)
    assert expected
    while any(run.poll() is None for run in runs):
        assert record.read(path) == expected
    assert [run.returncode for run in runs] == [0, 0]
    assert [left.name for left in path.parent.iterdir() if left.suffix != ".json"] == []


def test_what_changes_while_a_run_builds_is_not_recorded(left: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    left.request.record.unlink()
    monkeypatch.setenv("SKA_TEAM", "other")
    again.remember(left.request, left.options, WORDS, {})
    assert not left.request.record.exists()


@pytest.mark.parametrize("words", [["check"], ["build", "--image=ska-base"], []])
def test_only_build_all_has_records(words: list[str], left: Left) -> None:
    assert again.request(left.options, words) is None


@pytest.mark.parametrize("engine", ["dagger", "auto"])
def test_another_engine_has_no_records(engine: str, left: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGGER_SESSION_PORT", "1")
    assert again.request(replace(left.options, engine=engine), WORDS) is None


def test_a_malformed_setting_is_left_to_the_real_run(left: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKA_VERSION", "latest")
    assert again.request(left.options, WORDS) is None


async def test_a_stand_in_is_said_again(tmp_path: Path) -> None:
    warnings: list[str] = []
    request = _left(tmp_path, "bootstrap:debian-12", PINNED).request
    assert await again.report(request, warnings.append)
    assert f"bootstrap:debian-12 in the place of {PINNED.partition('@')[0]}\n" in warnings[0]


async def test_a_ci_job_takes_no_stand_in_from_an_earlier_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = _left(tmp_path, "bootstrap:debian-12", PINNED).request
    monkeypatch.setenv("CI", "true")
    assert await again.report(request, pytest.fail) is None


@pytest.mark.slow
async def test_a_registry_that_answers_by_now_is_used(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    with running(tmp_path / "registry") as address:
        pinned = PINNED.replace("127.0.0.1:9", address)
        request = _left(tmp_path, "bootstrap:debian-12", pinned).request
        assert await again.report(request, pytest.fail) is None


async def test_a_stand_in_of_other_sources_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = _left(tmp_path, "bootstrap:debian-12").request
    assert await _answer(request)
    sources = tmp_path / "sources.list"
    sources.write_text("deb http://other stable main\n")
    monkeypatch.setattr(unstarted, "APT_FILES", (*unstarted.APT_FILES, str(sources)))
    assert await _answer(request) is None


async def test_where_apt_keeps_its_sources_elsewhere_a_stand_in_makes_a_real_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "apt.conf").write_text('Dir::Etc::sourcelist "/other";\n')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    assert unstarted.stand_in_sources() == ""
    assert await _answer(_left(tmp_path, "bootstrap:debian-12").request) is None


async def test_a_base_that_is_no_stand_in_needs_no_sources(left: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unstarted, "APT_FILES", ("/nowhere",))
    assert await _answer(left.request)


def _without_engine(store: Path, output: Path, path: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Build all where no program of the engine is found, but the one that asks registries."""
    (path / "skopeo").symlink_to(str(shutil.which("skopeo")))
    words = ["--progress=plain", "--store", str(store), "build-all", "-o", str(output)]
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *words],
        cwd=ROOT,
        env=os.environ | variables | {"PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_changed_is_answered_without_the_engine(built: Built, store: Path, tmp_path: Path) -> None:
    run = _without_engine(store, built.dist, tmp_path)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1].startswith(f"Nothing to do: {len(OF_ONE_LINE)} images are up to date (")
    assert run.stdout.count("cached") == len(OF_ONE_LINE)


def test_a_change_of_the_environment_needs_the_engine(built: Built, store: Path, tmp_path: Path) -> None:
    run = _without_engine(store, built.dist, tmp_path, SKA_TEAM="other")
    assert run.returncode == 2
    assert "`unshare` is missing" in run.stderr


def test_a_changed_archive_is_made_whole_by_a_real_run(built: Built, store: Path, tmp_path: Path) -> None:
    archive = built.dist / "ska-base.tar"
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    assert _without_engine(store, built.dist, tmp_path).returncode == 2
    words = ["--progress=plain", "--store", str(store), "build-all", "-o", str(built.dist)]
    subprocess.run([sys.executable, "-m", "pipeline", *words], cwd=ROOT, capture_output=True, check=True)
    assert archive.read_bytes() == whole
