import os
from pathlib import Path

import pytest

from pipeline.cli.options import Options, UsageError, in_ci_job
from pipeline.cli.session import start_engine, tend_store


def options(engine: str, store: Path | None = None) -> Options:
    return Options(None, False, "plain", engine, store, False, False)


@pytest.fixture(autouse=True)
def _no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DAGGER_SESSION_PORT", "DAGGER_SESSION_TOKEN", "_EXPERIMENTAL_DAGGER_CLI_BIN"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("engine", ["auto", "dagger"])
async def test_a_session_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    monkeypatch.setenv("DAGGER_SESSION_PORT", "1")
    monkeypatch.setenv("DAGGER_SESSION_TOKEN", "token")
    async with start_engine(options(engine), lambda _: None) as started:
        assert not started.embedded


async def test_without_daggers_program_there_is_a_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=r"install it .* or use --engine embedded"):
        async with start_engine(options("dagger"), lambda _: None):
            pass


async def test_the_program_in_path_is_the_one_that_is_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "dagger"
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    # Registered with monkeypatch, so that what start_engine sets is undone.
    monkeypatch.setenv("_EXPERIMENTAL_DAGGER_CLI_BIN", "")
    async with start_engine(options("dagger"), lambda _: None) as started:
        assert not started.embedded
        assert os.environ["_EXPERIMENTAL_DAGGER_CLI_BIN"] == str(program)


@pytest.fixture
def hostile_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current directory with a file that has the name of a module of Python's library."""
    (tmp_path / "argparse.py").write_text("raise SystemExit('taken from the current directory')\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_the_engine_takes_no_code_from_the_current_directory(hostile_directory: Path) -> None:
    async with start_engine(options("embedded", hostile_directory / "store"), lambda _: None) as started:
        assert started.embedded


async def test_the_store_s_keeper_takes_no_code_from_the_current_directory(hostile_directory: Path) -> None:
    assert "quota" in await tend_store(options("embedded", hostile_directory / "store"), [])


@pytest.mark.parametrize("value", ["true", "1", "yes"])
def test_a_variable_ci_says_that_this_is_a_ci_job(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CI", value)
    assert in_ci_job()


@pytest.mark.parametrize("value", ["", "false", "False"])
def test_an_empty_or_false_ci_does_not(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CI", value)
    assert not in_ci_job()
