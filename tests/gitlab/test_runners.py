"""What runners, artefacts and the project's variables have to be, as far as the files and their README say it."""

import os
import re
import sys
from pathlib import Path

import pytest

from tests.gitlab.pipeline import ROOT, environment, load, run
from tests.gitlab.test_file import ALL, ENGINES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.mark.parametrize("engine", ENGINES)
def test_no_job_downloads_what_another_left(engine: str) -> None:
    stages = load({})["stages"]
    for name, job in ALL[engine].items():
        if stages.index(job["stage"]) and name != "night":  # a night's pipeline has no other job
            assert all(one.get("artifacts") is False for one in job.get("needs", []) if isinstance(one, dict)), name
            assert all(isinstance(one, dict) for one in job.get("needs", [])), name
            assert "needs" in job, name


def test_build_all_leaves_its_report_and_no_archive_in_gitlab_by_default() -> None:
    document = load({})
    variables = environment(document, ALL["embedded"]["build-all"], {})
    (path,) = ALL["embedded"]["build-all"]["artifacts"]["paths"]
    assert path == "$BUILD_ARTIFACTS"
    assert variables["BUILD_ARTIFACTS"] == "dist/build-report.json"


def test_a_docker_runner_shares_the_certificates_of_its_engine_with_the_job() -> None:
    (section,) = re.findall(r"## `docker`\n(.*?)(?=\n## )", (ROOT / ".gitlab/README.md").read_text(), re.DOTALL)
    (block,) = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
    docker = tomllib.loads(block)["runners"][0]["docker"]
    variables = environment(load({}), ALL["docker"]["build-all"], {})
    assert variables["DOCKER_CERT_PATH"] == f"{variables['DOCKER_TLS_CERTDIR']}/client"
    assert variables["DOCKER_CERT_PATH"] in docker["volumes"]
    assert docker["privileged"] is True


def _called(name: str, tmp_path: Path, **project: str) -> list[str]:
    """Return the words that a job gives to the command, for these variables of the project."""
    program = tmp_path / "ska-images"
    program.write_text('#!/bin/sh\nprintf "word: %s\\n" "$@"\n')
    program.chmod(0o755)
    given = {**project, "CI_COMMIT_TAG": "1.2.3", "CI_PIPELINE_CREATED_AT": "2026-01-31T23:00:00Z"}
    job = {**ALL["embedded"][name], "before_script": []}
    variables = environment(load({}), job, given, raw=frozenset(project))
    own = {"PATH": os.environ["PATH"], "SKA_IMAGES": str(program), "GET_TOOLS": "true"}
    done = run(job, {**variables, **own}, ROOT)
    return [line.removeprefix("word: ") for line in done.stdout.splitlines() if line.startswith("word: ")]


@pytest.mark.parametrize(
    ("name", "flag"),
    [("publish", "username"), ("announce", "username"), ("promote", "from-username"), ("night", "username")],
)
def test_a_robot_account_s_name_that_is_not_expanded_reaches_the_command_as_it_is(
    name: str, flag: str, tmp_path: Path
) -> None:
    assert f"--{flag}=robot$name" in _called(name, tmp_path, STAGING_USERNAME="robot$name")


def test_a_night_looks_at_the_archive_of_its_own_moment(tmp_path: Path) -> None:
    words = _called("night", tmp_path, CI_PIPELINE_SOURCE="schedule")
    assert words[:3] == ["--created=2026-01-31T23:00:00Z", "--registry=harbor.skao.int/staging", "outdated"]
