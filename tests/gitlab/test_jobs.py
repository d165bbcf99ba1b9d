"""The jobs of the embedded engine as a runner runs them: every line of their scripts, in a clean clone."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.built_images import OF_ONE_LINE
from tests.conftest import Built
from tests.consumers.conftest import call
from tests.gitlab.pipeline import ROOT, environment, jobs, load, run
from tests.gitlab.stand_in_api import stand_in_api
from tests.registry import running
from tests.trust.databases import NOT_HERE
from tests.trust.databases import make as make_database

NAMES = [image.name for image in OF_ONE_LINE.values()]
PASSWORD = "of the tests"  # noqa: S105
#: bcrypt of that.
HTPASSWD = "publisher:$2b$05$abcdefghijklmnopqrstuuGTOWXyqQPaHqE6HZfnX2nsY3HHWkUie\n"
#: What GitLab gives to every job; the values are like those of its documentation.
GIVEN = {
    "CI": "true",
    "GITLAB_CI": "true",
    "CI_COMMIT_AUTHOR": "A Person <person@example.org>",
    "CI_COMMIT_REF_PROTECTED": "true",
    "CI_COMMIT_TIMESTAMP": "2026-01-31T11:12:13+01:00",
    "CI_DEFAULT_BRANCH": "main",
    "CI_JOB_ID": "4711",
    "CI_JOB_URL": "https://gitlab.example.org/group/ska-base-images/-/jobs/4711",
    "CI_PIPELINE_ID": "42",
    "CI_PIPELINE_SOURCE": "push",
    "CI_PROJECT_NAME": "ska-base-images",
    "CI_PROJECT_PATH_SLUG": "group-ska-base-images",
    "CI_RUNNER_TAGS": '["privileged", "docker"]',
    "CI_SERVER_HOST": "gitlab.example.org",
    "GITLAB_USER_EMAIL": "person@example.org",
}


class Runner:
    """A runner with one clean clone of this checkout, in which it runs the jobs of a version's pipeline.

    Args:
        directory: for the clone, and the repository that it is one of.
        built: the version is that of this build and the pipeline as old, so that the images are in its store.
        project: the CI/CD variables of the project.
    """

    def __init__(self, directory: Path, built: Built, **project: str) -> None:
        self.clone, self._origin = directory / "clone", directory / "ska-base-images.git"
        self.version: str = built.report["version"]
        # The checkout may belong to another user, who has called sudo.
        files = call("git", "-c", "safe.directory=*", "-C", ROOT, "ls-files", "-co", "--exclude-standard").splitlines()
        for file in (file for file in files if (ROOT / file).is_file()):
            (self.clone / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, self.clone / file)
        changelog = self.clone / "CHANGELOG.md"
        changelog.write_text(changelog.read_text().replace(f"## [{self.version}] - unreleased", self._heading()))
        call("git", "init", "--quiet", "--bare", self._origin)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=All of it")
        self.git("tag", f"v{self.version}")
        self.git("push", "--quiet", "--tags", str(self._origin), "main")
        sha = self.git("rev-parse", "HEAD")
        self.given = {
            **GIVEN,
            "CI_COMMIT_SHA": sha,
            "CI_COMMIT_SHORT_SHA": sha[:8],
            "CI_COMMIT_TAG": f"v{self.version}",
            "CI_PROJECT_DIR": str(self.clone),
            "CI_PROJECT_URL": self._origin.as_uri().removesuffix(".git"),
            # The moment of the build, as a GitLab server in Central Europe calls it.
            "CI_PIPELINE_CREATED_AT": built.report["created"].replace("T00:00:00Z", "T01:00:00+01:00"),
            **project,
        }

    def _heading(self) -> str:
        return f"## [{self.version}] - 2026-01-31"

    def git(self, *words: str) -> str:
        """Run git in the clone, as a person."""
        person = ("-c", "user.name=A Person", "-c", "user.email=person@example.org")
        return call("git", "-C", self.clone, *person, *words).strip()

    def run(self, name: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run a job's scripts."""
        given = {**self.given, **variables}
        document = load(given)
        job = jobs(document)[name]
        done = run(job, {**os.environ, **environment(document, job, given)}, self.clone)
        assert PASSWORD not in done.stdout
        return done


@pytest.fixture(scope="module")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry that takes images from the publisher only."""
    directory = tmp_path_factory.mktemp("staging")
    (directory / "htpasswd").write_text(HTPASSWD)
    with running(directory, f"auth: {{htpasswd: {{realm: test, path: {directory}/htpasswd}}}}\n") as host:
        yield f"{host}/staging"


@pytest.fixture(scope="module")
def runner(
    built: Built, store: Path, staging: str, tools: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runner]:
    """A runner that has the images of the session in its store."""
    directory = tmp_path_factory.mktemp("gitlab")
    database = make_database(directory / "database", *NOT_HERE)
    yield Runner(
        directory,
        built,
        # In a job nothing else than the base of the session's build may be taken for it.
        SKA_BASE=built.report["lines"][0]["base"],
        SKA_STORE=str(store),
        PUBLISH_FLAGS=f"--allow-stand-in-base --vulnerability-db-directory={database}",
        TOOLS=str(tools),
        PROMOTE_FLAGS="--allow-stand-in-base",
        PRODUCTION_REGISTRY=staging.replace("/staging", "/production"),
        PRODUCTION_USERNAME="publisher",
        PRODUCTION_PASSWORD=PASSWORD,
        STAGING_REGISTRY=staging,
        STAGING_USERNAME="publisher",
        STAGING_PASSWORD=PASSWORD,
    )
    shutil.rmtree(directory)


def inspected(image: str) -> dict[str, Any]:
    """Return what skopeo says of an image."""
    login = ("--tls-verify=false", f"--creds=publisher:{PASSWORD}") if image.startswith("docker:") else ()
    document: dict[str, Any] = json.loads(call("skopeo", "inspect", *login, image))
    return document


def test_build_all_leaves_the_archives_and_the_report_as_artefacts(runner: Runner) -> None:
    done = runner.run("build-all")
    assert done.returncode == 0, done.stdout
    names = {path.name for path in (runner.clone / "dist").iterdir()}
    assert names == {*(f"{name}.tar" for name in NAMES), "build-report.json"}


def test_an_image_says_which_job_built_it_and_names_no_person(runner: Runner) -> None:
    labels = inspected(f"oci-archive:{runner.clone}/dist/ska-python.tar")["Labels"]
    assert labels["CI_JOB_ID"] == "4711"
    assert labels["CI_RUNNER_TAGS"] == GIVEN["CI_RUNNER_TAGS"]
    assert labels["org.opencontainers.image.revision"] == runner.given["CI_COMMIT_SHA"]
    assert "person@example.org" not in str(labels)


def test_an_image_is_as_old_as_the_pipeline(runner: Runner, built: Built) -> None:
    assert inspected(f"oci-archive:{runner.clone}/dist/ska-base.tar")["Created"] == built.report["created"]


def test_a_version_is_published_to_staging(runner: Runner, staging: str) -> None:
    done = runner.run("publish")
    assert done.returncode == 0, done.stdout
    release = json.loads((runner.clone / "release.json").read_text())
    for image in release["images"]:
        published = inspected(f"docker://{staging}/{image['name']}:{runner.version}")
        assert image["reference"] == f"{staging}/{image['name']}:{runner.version}@{published['Digest']}"


def test_what_is_published_is_what_build_all_left(runner: Runner) -> None:
    report = json.loads((runner.clone / "dist/build-report.json").read_text())
    release = json.loads((runner.clone / "release.json").read_text())
    assert {one["name"]: one["digest"] for one in report["images"]} == {
        one["name"]: one["digest"] for one in release["images"]
    }


def test_a_job_that_is_run_again_publishes_nothing_new(runner: Runner) -> None:
    before = (runner.clone / "release.json").read_text()
    done = runner.run("publish", CI_JOB_ID="4712", CI_RUNNER_TAGS="[]")
    assert done.returncode == 0, done.stdout
    assert (runner.clone / "release.json").read_text() == before.replace('"new": true', '"new": false')


def test_a_release_is_announced_with_notes_that_name_where_it_will_be(runner: Runner, staging: str) -> None:
    with stand_in_api() as api:
        done = runner.run("announce", **api.variables())
        assert done.returncode == 0, done.stdout
        again = runner.run("announce", **api.variables())
    assert (again.returncode, "which stays as it is" in again.stdout) == (0, True), again.stdout
    (sent,) = api.releases.values()
    assert (sent["tag_name"], sent["name"]) == (f"v{runner.version}", runner.version)
    production = staging.replace("/staging", "/production")
    assert sent["description"] == (runner.clone / "release-notes.md").read_text()
    assert sent["description"].startswith(
        f"# {runner.version}\n\n## ubuntu22\n\n### ska-base\n\n`{production}/ska-base:"
    )
    assert f"{staging}/" not in sent["description"]


def test_a_release_is_promoted_with_its_digests(runner: Runner, staging: str) -> None:
    done = runner.run("promote")
    assert done.returncode == 0, done.stdout
    promoted, release = (json.loads((runner.clone / name).read_text()) for name in ("promoted.json", "release.json"))
    assert {one["name"]: one["digest"] for one in promoted["images"]} == {
        one["name"]: one["digest"] for one in release["images"]
    }
    assert promoted["registry"] == staging.replace("/staging", "/production")


def test_a_release_of_today_is_left_alone_at_night(runner: Runner) -> None:
    done = runner.run("night", CI_PIPELINE_SOURCE="schedule", CI_COMMIT_BRANCH="main", CI_COMMIT_TAG="")
    assert done.returncode == 0, done.stdout
    assert f"night: {runner.version} is up to date" in done.stdout
    assert json.loads((runner.clone / "outdated.json").read_text())["outdated"] is False


def test_the_tests_run_as_everywhere_and_their_results_go_to_gitlab(runner: Runner) -> None:
    # One file of them, as these tests are among them; and what mypy knows already of this checkout.
    options = {"PYTEST_ADDOPTS": "--junitxml=tests.xml tests/test_metadata.py", "MYPY_CACHE_DIR": f"{ROOT}/.mypy_cache"}
    done = runner.run("test", **options)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert re.search(r'failures="0".* tests="[1-9]', (runner.clone / "tests.xml").read_text())


def test_a_job_leaves_nothing_beside_its_artefacts(runner: Runner) -> None:
    assert runner.git("status", "--porcelain", "--untracked-files=all") == ""
