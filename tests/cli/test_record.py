"""What decides about the images of a build-all is in its record."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from pipeline.build import settings
from pipeline.build.settings import PYPROJECT, Settings
from pipeline.cli import record

WORDS = ["build-all"]


def _inputs(words: list[str] = WORDS, **given: str) -> str:
    return record.inputs(words, Settings(**given))


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_decides(name: str) -> None:
    values = {
        "auditor": "bootstrap:auto",
        "base": "bootstrap:auto",
        "lines": "ubuntu24",
        "require_signatures": "notation",
        "no_profile_until": "ubuntu26=2026-12-31",
        "version": "9.9.9",
        "created": "2001-01-01",
        "label": ("a=b",),
        "registry": "a.b",
        "snapshot": "off",
        "cache_quota": "1GB",
        "scan_fails_on": "low",
        "scan_fails_on_fixable": "low",
        "scan_database_days": "1",
        "max_concurrent_requests": "1",
    }
    value = True if name == "personal_labels" else values.get(name, "other")
    field = "SKA_REVISION" if name == "revision" else name
    assert record.inputs(WORDS, Settings(**{field: value})) != _inputs()


@pytest.mark.parametrize("variable", ["SKA_TEAM", "ska_team", "CI_COMMIT_SHA"])
def test_the_environment_decides(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _inputs()
    monkeypatch.setenv(variable, "other")
    assert _inputs() != before


def test_the_job_decides_that_an_image_names_in_its_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("CI_JOB_ID", "1")
    before = _inputs()
    monkeypatch.setenv("CI_JOB_ID", "2")
    assert _inputs() != before


def test_dotenv_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_bytes(settings.PYPROJECT.read_bytes())
    monkeypatch.setattr(settings, "PYPROJECT", project)
    before = _inputs()
    (tmp_path / ".env").write_text("SKA_TEAM=other\n")
    assert _inputs() != before


def test_the_day_decides() -> None:
    assert _inputs(created="2026-01-01") != _inputs(created="2026-01-02")


def test_the_arguments_decide() -> None:
    assert _inputs(["build-all", "--team=other"]) != _inputs()


@pytest.mark.parametrize("words", [["--base-archive", "{}"], ["--base-archive={}"], ["--baseArchive={}"]])
def test_the_contents_of_an_archive_decide(words: list[str], tmp_path: Path) -> None:
    archive = tmp_path / "base.tar"
    words = [word.format(archive) for word in words]
    archive.write_text("one")
    status, before = archive.stat(), _inputs([*words, "build-all"])
    archive.write_text("two")
    os.utime(archive, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert _inputs([*words, "build-all"]) != before


@pytest.mark.parametrize(
    "name",
    ["pipeline/catalogue/families.py", "pipeline/steps/base.sh", "embedded_engine/oci/layer.py", "pipeline/new.py"],
)
def test_the_sources_decide(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copies = [shutil.copytree(package, tmp_path / package.name) for package in record.packages()]
    monkeypatch.setattr(record, "packages", lambda: copies)
    before = _inputs()
    with (tmp_path / name).open("a") as file:
        file.write("# changed\n")
    assert _inputs() != before


def test_the_project_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, copy = _inputs(), tmp_path / "pyproject.toml"
    monkeypatch.setattr("pipeline.cli.record.PYPROJECT", copy)
    copy.write_text(PYPROJECT.read_text())
    assert _inputs() == before
    copy.write_text(f"{PYPROJECT.read_text()}\n")
    assert _inputs() != before


def test_the_installed_packages_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _inputs()
    (tmp_path / "isal-99.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert _inputs() != before


def test_the_interpreter_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    before = _inputs()
    monkeypatch.setattr(sys, "version", "3.99")
    assert _inputs() != before
