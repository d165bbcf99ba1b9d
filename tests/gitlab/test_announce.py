"""The GitLab release of a version: made once, with the notes as its description, and left alone afterwards."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gitlab.pipeline import ROOT
from tests.gitlab.stand_in_api import TOKEN, StandInApi, stand_in_api

pytestmark = pytest.mark.slow

#: All that a form could change: line breaks, signs of its own, and letters beyond ASCII.
NOTES = '# From 1.2.2 to 1.2.3\n\n| a=b&c | 100% + "1" | – |\n@group `x` \\| \U0001f680\n'  # noqa: RUF001


@pytest.fixture
def api() -> Iterator[StandInApi]:
    with stand_in_api() as api:
        yield api


def announce(api: StandInApi, directory: Path, tag: str = "1.2.3", **variables: str) -> tuple[int, str]:
    """Run the script; return its exit code and its output."""
    notes = directory / "release-notes.md"
    notes.write_text(NOTES)
    argv = [str(ROOT / ".gitlab/ci/announce.sh"), str(notes)]
    environment = {"PATH": os.environ["PATH"], "CI_COMMIT_TAG": tag, **api.variables(), **variables}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert TOKEN not in done.stdout + done.stderr
    return done.returncode, done.stdout + done.stderr


def test_a_release_has_the_name_of_the_version_and_the_notes_as_they_are(api: StandInApi, tmp_path: Path) -> None:
    assert announce(api, tmp_path, "v1.2.3") == (0, "announce: GitLab has the release 1.2.3 now\n")
    assert api.releases == {"v1.2.3": {"tag_name": "v1.2.3", "name": "1.2.3", "description": NOTES}}


def test_a_job_that_is_run_again_leaves_the_release_alone(api: StandInApi, tmp_path: Path) -> None:
    announce(api, tmp_path)
    api.releases["1.2.3"]["description"] = "What somebody has written since."
    code, output = announce(api, tmp_path)
    assert (code, output) == (0, "announce: GitLab has the release 1.2.3 already, which stays as it is\n")
    assert api.releases["1.2.3"]["description"] == "What somebody has written since."


def test_a_server_that_is_busy_for_a_moment_is_asked_again(api: StandInApi, tmp_path: Path) -> None:
    api.broken = 1
    assert announce(api, tmp_path)[0] == 0
    assert (list(api.releases), api.requests) == (["1.2.3"], 2)


def test_a_user_who_may_not_set_the_tag_is_told_so(api: StandInApi, tmp_path: Path) -> None:
    api.is_allowed = False
    code, output = announce(api, tmp_path)
    assert (code, api.releases) == (1, {})
    assert "GitLab made no release 1.2.3 (403: " in output
    assert "You are not allowed to create this tag as it is protected." in output
    assert output.endswith("; may the user of this pipeline set the tag?\n")


def test_a_wrong_token_is_an_error(api: StandInApi, tmp_path: Path) -> None:
    code, output = announce(api, tmp_path, CI_JOB_TOKEN="wrong")  # noqa: S106
    assert (code, api.releases) == (1, {})
    assert "(401: " in output


def test_a_server_that_does_not_answer_is_an_error(api: StandInApi, tmp_path: Path) -> None:
    code, output = announce(api, tmp_path, CI_API_V4_URL="http://127.0.0.1:1/api/v4")
    assert code != 0
    assert "curl: (7)" in output


def test_the_token_stands_in_no_argument(api: StandInApi, tmp_path: Path) -> None:
    program = tmp_path / "curl"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" >"$ARGUMENTS"\nexec "$CURL" "$@"\n')
    program.chmod(0o755)
    arguments = tmp_path / "arguments"
    curl = subprocess.run(["which", "curl"], capture_output=True, text=True, check=True).stdout.strip()
    path = f"{tmp_path}:{os.environ['PATH']}"
    assert announce(api, tmp_path, PATH=path, CURL=curl, ARGUMENTS=str(arguments))[0] == 0
    assert "tag_name=1.2.3" in arguments.read_text()
    assert TOKEN not in arguments.read_text()
