"""The night's release: a git tag of the next patch version, on top of what was released, and nothing without need."""

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.consumers.conftest import call
from tests.gitlab.pipeline import ROOT

TOKEN = "glpat-of-the-tests"  # noqa: S105
CHANGELOG = "# Changelog\n\n## [{}] - 2026-01-01\n\n### Added\n\n- All of it.\n"


class Project:
    """A project with the release 1.2.3, a later commit that is not released, and a clone of it.

    Args:
        directory: for both.
    """

    def __init__(self, directory: Path) -> None:
        self.bare, self.clone = directory / "project.git", directory / "clone"
        call("git", "init", "--quiet", "--bare", "--initial-branch=main", self.bare)
        call("git", "clone", "--quiet", self.bare, self.clone)
        self.commit("CHANGELOG.md", CHANGELOG.format("1.2.3"))
        self.tag("1.2.3")
        self.commit("CHANGELOG.md", CHANGELOG.format("1.3.0"))
        self.git("push", "--quiet", "--all")

    def git(self, *words: str) -> str:
        """Run git in the clone, as a person."""
        person = ("-c", "user.name=A Person", "-c", "user.email=person@example.org")
        return call("git", "-C", self.clone, *person, *words).strip()

    def commit(self, name: str, text: str) -> None:
        """Commit a file."""
        (self.clone / name).write_text(text)
        self.git("add", name)
        self.git("commit", "--quiet", f"--message=Write {name}")

    def tag(self, name: str) -> None:
        """Set a tag, and push it."""
        self.git("tag", name)
        self.git("push", "--quiet", "origin", name)

    def tags(self) -> set[str]:
        """Return the tags of the project."""
        return set(call("git", "-C", self.bare, "tag", "--list").split())

    def night(self, version: str = "1.2.3", outdated: str = "true", **variables: str) -> tuple[int, str]:
        """Run the night's script; return its exit code and what it said."""
        report = self.clone / "outdated.json"
        report.write_text(f'{{\n  "outdated": {outdated},\n  "version": "{version}"\n}}\n')
        job = {
            "CI_PIPELINE_CREATED_AT": "2026-01-31T01:00:00Z",
            "CI_PROJECT_PATH_SLUG": "group-project",
            "CI_PROJECT_URL": self.bare.as_uri().removesuffix(".git"),
            "CI_SERVER_HOST": "gitlab.example.org",
            "RELEASE_TOKEN": TOKEN,
        }
        argv = [str(ROOT / ".gitlab/ci/night.sh"), str(report)]
        environment = {**os.environ, **job, **variables}
        done = subprocess.run(argv, cwd=self.clone, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_an_outdated_release_is_tagged_again_as_the_next_patch_version(project: Project) -> None:
    code, said = project.night()
    assert (code, said) == (0, "night: 1.2.3 needs a rebuild, and is released again as 1.2.4\n")
    assert project.tags() == {"1.2.3", "1.2.4"}


def test_only_the_changelog_differs_from_the_last_release(project: Project) -> None:
    project.night()
    assert call("git", "-C", project.bare, "rev-list", "1.2.3..1.2.4").count("\n") == 1
    assert call("git", "-C", project.bare, "diff", "--name-only", "1.2.3", "1.2.4") == "CHANGELOG.md\n"


def test_the_changelog_describes_the_new_release_above_the_last_one(project: Project) -> None:
    project.night()
    text = call("git", "-C", project.bare, "show", "1.2.4:CHANGELOG.md")
    section = "## [1.2.4] - 2026-01-31\n\n### Security\n\n- 1.2.3 again, with the updates of its packages.\n\n"
    assert text == CHANGELOG.format("1.2.3").replace("## [1.2.3]", f"{section}## [1.2.3]")


def test_the_job_s_checkout_stays_as_it_was(project: Project) -> None:
    project.night()
    assert project.git("status", "--porcelain") == "?? outdated.json"
    assert project.git("worktree", "list").count("\n") == 0


def test_a_release_that_is_up_to_date_is_left_alone(project: Project) -> None:
    assert project.night(outdated="false") == (0, "night: 1.2.3 is up to date\n")
    assert project.tags() == {"1.2.3"}


def test_the_newest_version_is_found_by_its_numbers_and_not_a_pre_release(project: Project) -> None:
    for tag in ("v1.2.10", "1.2.11-rc.1", "other"):
        project.tag(tag)
    assert project.night("1.2.10")[0] == 0
    assert "1.2.11" in project.tags()


def test_nothing_is_tagged_while_the_newest_tag_is_not_published(project: Project) -> None:
    project.tag("1.2.4")
    code, said = project.night()
    assert code == 1
    assert said == (
        "night: the newest tag is '1.2.4', and the newest release 1.2.3; see to the pipeline of that tag first\n"
    )
    assert project.tags() == {"1.2.3", "1.2.4"}


def test_without_a_token_it_says_what_to_tag(project: Project) -> None:
    code, said = project.night(RELEASE_TOKEN="")
    assert code == 10
    assert said == (
        "night: 1.2.3 needs a rebuild, and RELEASE_TOKEN is not set, with which this sets the tag 1.2.4;"
        " set it by hand\n"
    )
    assert project.tags() == {"1.2.3"}


@pytest.fixture
def server(project: Project) -> Iterator[str]:
    """The project over HTTP, for the user with the token only, by git's own server."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            if self.headers["Authorization"] != f"Basic {base64.b64encode(f'night:{TOKEN}'.encode()).decode()}":
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="test"')
                self.end_headers()
                return
            variables = {
                "GIT_PROJECT_ROOT": str(project.bare.parent),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REMOTE_USER": "night",
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers["Content-Type"] or "",
                "PATH": os.environ["PATH"],
            }
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            argv = ["git", "http-backend"]
            answer = subprocess.run(argv, env=variables, input=body, capture_output=True, check=True).stdout
            head, _, content = answer.partition(b"\r\n\r\n")
            fields = [line.partition(": ") for line in head.decode().split("\r\n")]
            self.send_response(int(next((value for name, _, value in fields if name == "Status"), "200").split()[0]))
            for name, _, value in fields:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}/project"
        listening.shutdown()
        thread.join()


def test_the_token_opens_the_project_and_stands_in_no_argument(project: Project, server: str, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    assert project.night(CI_PROJECT_URL=server, GIT_TRACE=str(trace))[0] == 0
    assert "1.2.4" in project.tags()
    assert "push" in trace.read_text()
    assert TOKEN not in trace.read_text()


def test_a_wrong_token_is_an_error(project: Project, server: str) -> None:
    code, _ = project.night(CI_PROJECT_URL=server, **{"RELEASE_TOKEN": "wrong", "GIT_TERMINAL_PROMPT": "0"})
    assert code != 0
    assert project.tags() == {"1.2.3"}
