"""The jobs of the embedded engine as a runner runs them: every line of their scripts, in a clean clone."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Built
from tests.consumers.conftest import call
from tests.gitlab.pipeline import ROOT, environment, jobs, load, run

#: What GitLab gives to every job; the values are those of its documentation, or made up like them.
GIVEN = {
    "CI": "true",
    "GITLAB_CI": "true",
    "CI_COMMIT_AUTHOR": "A Person <person@example.org>",
    "CI_COMMIT_REF_PROTECTED": "true",
    "CI_COMMIT_TIMESTAMP": "2026-01-31T11:12:13+01:00",
    "CI_DEFAULT_BRANCH": "main",
    "CI_JOB_ID": "4711",
    "CI_JOB_URL": "https://gitlab.example.org/group/ska-base-images/-/jobs/4711",
    "CI_PIPELINE_CREATED_AT": "2026-01-31T12:00:00+01:00",
    "CI_PIPELINE_ID": "42",
    "CI_PROJECT_NAME": "ska-base-images",
    "CI_RUNNER_TAGS": '["privileged", "docker"]',
    "CI_SERVER_HOST": "gitlab.example.org",
    "GITLAB_USER_EMAIL": "person@example.org",
}
BRANCH = {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main", "CI_COMMIT_REF_NAME": "main"}


class Runner:
    """A runner with one clean clone of this checkout, in which it runs one job after the other.

    Args:
        directory: for the clone, and the repository that it is one of.
        variables: those of the project.
    """

    def __init__(self, directory: Path, **variables: str) -> None:
        self.clone, self.origin, self._variables = directory / "clone", directory / "origin", variables
        files = call("git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
        for file in (file for file in files if (ROOT / file).is_file()):
            (self.origin / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, self.origin / file)
        self.git(self.origin, "init", "--quiet", "--initial-branch=main")
        self.git(self.origin, "add", "--all")
        self.git(self.origin, "commit", "--quiet", "--message=All of it")
        self.git(directory, "clone", "--quiet", self.origin, self.clone)

    @staticmethod
    def git(directory: Path, *words: "str | Path") -> str:
        """Run git as a person of these tests."""
        person = ("-c", "user.name=A Person", "-c", "user.email=person@example.org")
        return call("git", "-C", directory, *person, *words).strip()

    def run(self, name: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run a job's scripts with the variables of one pipeline."""
        sha = self.git(self.clone, "rev-parse", "HEAD")
        here = {"CI_PROJECT_DIR": str(self.clone), "CI_COMMIT_SHA": sha, "CI_COMMIT_SHORT_SHA": sha[:8]}
        given = {**GIVEN, **here, **variables, **self._variables}
        document = load(given)
        job = jobs(document)[name]
        return run(job, {**os.environ, **environment(document, job, given)}, self.clone)


@pytest.fixture(scope="module")
def runner(built: Built, store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """A runner that has the images of the session in its store."""
    directory = tmp_path_factory.mktemp("gitlab")
    yield Runner(directory, SKA_STORE=str(store))
    shutil.rmtree(directory)


def inspected(archive: Path) -> dict[str, Any]:
    """Return what skopeo says of an archive."""
    document: dict[str, Any] = json.loads(call("skopeo", "inspect", f"oci-archive:{archive}"))
    return document


def test_a_branch_is_built_and_its_images_say_by_which_job(runner: Runner) -> None:
    done = runner.run("build-all", **BRANCH)
    assert done.returncode == 0, done.stdout
    labels = inspected(runner.clone / "dist/ska-python.tar")["Labels"]
    assert labels["CI_JOB_ID"] == "4711"
    assert labels["CI_RUNNER_TAGS"] == GIVEN["CI_RUNNER_TAGS"]
    assert labels["org.opencontainers.image.revision"] == runner.git(runner.clone, "rev-parse", "HEAD")
    assert labels["int.skao.image.version"].endswith(f"-dev.c{labels['CI_COMMIT_SHORT_SHA']}")
    assert "person@example.org" not in str(labels)


def test_a_job_leaves_nothing_beside_its_artefacts(runner: Runner) -> None:
    assert runner.git(runner.clone, "status", "--porcelain", "--untracked-files=all") == ""


def test_the_tests_run_as_everywhere_and_their_results_go_to_gitlab(runner: Runner) -> None:
    # One file of them, as these tests are among them; and what mypy knows already of this checkout.
    options = {"PYTEST_ADDOPTS": "--junitxml=tests.xml tests/test_metadata.py", "MYPY_CACHE_DIR": f"{ROOT}/.mypy_cache"}
    done = runner.run("test", CI_PIPELINE_SOURCE="merge_request_event", **options)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert 'failures="0"' in (runner.clone / "tests.xml").read_text()
