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
from tests.gitlab.tagged_project import CHANGELOG, LINES, NEW, NEW_24, SECTION, TOKEN, Project, released

pytestmark = pytest.mark.slow

MODULE = "pipeline/catalogue/lines.py"


def test_an_outdated_release_is_tagged_again_as_the_next_patch_version(project: Project) -> None:
    code, output = project.night()
    assert (code, output) == (0, f"{released('1.2.4')}\n")
    assert project.tags() == {"1.2.3", "1.2.4"}


def test_only_the_changelog_differs_from_the_last_release(project: Project) -> None:
    project.night()
    assert call("git", "-C", project.bare, "rev-list", "1.2.3..1.2.4").count("\n") == 1
    assert call("git", "-C", project.bare, "diff", "--name-only", "1.2.3", "1.2.4") == "CHANGELOG.md\n"


def test_the_changelog_describes_the_new_release_above_the_last_one(project: Project) -> None:
    project.night()
    text = call("git", "-C", project.bare, "show", "1.2.4:CHANGELOG.md")
    assert text == CHANGELOG.format("1.2.3").replace("## [1.2.3]", f"{SECTION.format('1.2.4', '1.2.3')}## [1.2.3]")


def test_the_job_s_checkout_stays_as_it_was(project: Project) -> None:
    project.night()
    assert project.git("status", "--porcelain") == "?? outdated.json"
    assert project.git("worktree", "list").count("\n") == 0


def test_a_release_that_is_up_to_date_is_left_alone(project: Project) -> None:
    assert project.night(outdated=False) == (0, "night: 1.2.3 is up to date\n")
    assert project.tags() == {"1.2.3"}


def test_the_newest_version_is_found_by_its_numbers_and_not_a_pre_release(project: Project) -> None:
    for tag in ("v1.2.10", "1.2.11-rc.1", "other"):
        project.tag(tag)
    assert project.night("1.2.10")[0] == 0
    assert "1.2.11" in project.tags()


def test_a_tag_that_was_never_released_is_passed_over_and_named(project: Project) -> None:
    project.tag("1.2.4")
    code, output = project.night()
    assert code == 0
    assert set(output.splitlines()) == {
        "night: 1.2.4 is tagged and not released; see to its pipeline",
        released("1.2.5"),
    }
    assert project.tags() == {"1.2.3", "1.2.4", "1.2.5"}
    assert call("git", "-C", project.bare, "rev-list", "1.2.3..1.2.5").count("\n") == 1


def test_night_after_night_goes_on_while_no_pipeline_passes(project: Project) -> None:
    for number in (4, 5, 6):
        project.tag(f"1.2.{number}")
    assert project.night()[0] == 0
    assert "1.2.7" in project.tags()


def test_a_later_version_that_is_not_released_does_not_keep_the_newest_release_from_its_updates(
    project: Project,
) -> None:
    project.tag("1.3.0")
    code, output = project.night()
    assert (code, "night: 1.3.0 is tagged and not released; see to its pipeline\n" in output) == (0, True)
    assert project.tags() == {"1.2.3", "1.2.4", "1.3.0"}


def test_a_tag_of_the_last_hours_gets_the_time_to_be_published(project: Project) -> None:
    project.tag("1.2.4", hours=1)
    assert project.night() == (
        0,
        "night: 1.2.3 needs a rebuild, and the pipeline of 1.2.4 may still publish it; the next night looks again\n",
    )
    assert project.tags() == {"1.2.3", "1.2.4"}


def test_a_release_without_a_tag_is_named(project: Project) -> None:
    code, output = project.night("1.2.2")
    assert (code, project.tags()) == (1, {"1.2.3"})
    assert "the newest release is 1.2.2, and no tag has that name" in output


def test_a_base_that_has_moved_is_pinned_anew_in_the_release(project: Project) -> None:
    assert project.night(reasons=("the base has moved",), bases=(NEW,))[0] == 0
    assert call("git", "-C", project.bare, "show", f"1.2.4:{MODULE}") == LINES.format(NEW)
    changed = call("git", "-C", project.bare, "diff", "--name-only", "1.2.3", "1.2.4")
    assert changed == f"CHANGELOG.md\n{MODULE}\n"
    assert project.show(f"nightly-1.2:{MODULE}") == LINES.format(NEW)


def test_a_base_that_the_default_branch_has_elsewhere_is_not_moved_there(project: Project) -> None:
    project.commit(MODULE, "LINES = ()\n")
    project.git("push", "--quiet", "origin", "main")
    code, output = project.night(reasons=("the base has moved",), bases=(NEW,))
    assert (code, f"{MODULE} of main has another base than {NEW}; move it there by hand" in output) == (0, True)
    assert project.show(f"nightly-1.2:{MODULE}") == "LINES = ()\n"


def test_the_bases_of_several_lines_are_pinned_anew(project: Project) -> None:
    assert project.night(reasons=("the base has moved",), bases=(NEW, NEW_24))[0] == 0
    text = LINES.format(NEW).replace("ubuntu:24.04@sha256:0", NEW_24)
    assert call("git", "-C", project.bare, "show", f"1.2.4:{MODULE}") == text


@pytest.mark.parametrize(
    ("reasons", "code", "tags"),
    [
        (("the base has moved",), 10, {"1.2.3"}),
        (("the base has moved", "security updates are pending: libc6"), 0, {"1.2.3", "1.2.4"}),
    ],
)
def test_a_base_that_the_project_does_not_pin_is_no_reason_for_a_release_that_would_not_move_it(
    project: Project, reasons: tuple[str, ...], code: int, tags: set[str]
) -> None:
    found, output = project.night(reasons=reasons, bases=(NEW.replace("ubuntu", "mirror.example/ubuntu"),))
    assert (found, project.tags()) == (code, tags)
    assert "lines.py of 1.2.3 has another one" in output


def test_without_a_token_it_says_what_to_tag(project: Project) -> None:
    code, output = project.night(RELEASE_TOKEN="")
    assert code == 10
    assert output == (
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
    code, _ = project.night(CI_PROJECT_URL=server, RELEASE_TOKEN="wrong", GIT_TERMINAL_PROMPT="0")  # noqa: S106
    assert code != 0
    assert project.tags() == {"1.2.3"}
