"""The merge request of a night: tag and branch together, the section where it belongs, and never a conflict."""

import pytest

from tests.consumers.conftest import call
from tests.gitlab.tagged_project import CHANGELOG, SECTION, Project

pytestmark = pytest.mark.slow

#: The options that ask GitLab for a merge request: https://docs.gitlab.com/topics/git/commit/#push-options
OPTIONS = ["merge_request.create", "merge_request.target=main", "merge_request.remove_source_branch"]


def test_tag_and_branch_are_pushed_together_and_a_merge_request_is_asked_for(project: Project) -> None:
    project.night()
    title = "merge_request.title=Merge 1.2.4, which is 1.2.3 again"
    assert project.pushes()[-1] == ["refs/tags/1.2.4", "refs/heads/nightly-1.2", *OPTIONS, title]


def test_the_merge_request_brings_the_section_to_its_place_in_the_default_branch_and_nothing_else(
    project: Project,
) -> None:
    project.night()
    assert project.show("nightly-1.2:CHANGELOG.md") == project.changelog("1.2.4")
    assert call("git", "-C", project.bare, "diff", "--name-only", "main", "nightly-1.2") == "CHANGELOG.md\n"


def test_no_commit_is_one_that_only_a_tag_has(project: Project) -> None:
    project.night()
    assert project.is_ancestor("1.2.4", "nightly-1.2") and project.is_ancestor("main", "nightly-1.2")
    project.merge("nightly-1.2")
    assert project.is_ancestor("1.2.4", "main")
    assert project.show("main:CHANGELOG.md") == project.changelog("1.2.4")


def test_a_later_night_extends_a_merge_request_that_is_still_open(project: Project) -> None:
    project.night()
    project.tag_again("1.2.4")
    assert project.night("1.2.4")[0] == 0
    assert project.show("nightly-1.2:CHANGELOG.md") == project.changelog("1.2.5", "1.2.4")
    assert all(project.is_ancestor(tag, "nightly-1.2") for tag in ("1.2.4", "1.2.5", "main"))
    project.merge("nightly-1.2")


def test_a_later_night_begins_anew_after_the_merge(project: Project) -> None:
    project.night()
    project.tag_again("1.2.4")
    project.merge("nightly-1.2")
    assert project.night("1.2.4")[0] == 0
    assert project.show("nightly-1.2:CHANGELOG.md") == project.changelog("1.2.5", "1.2.4")
    assert call("git", "-C", project.bare, "rev-list", "--count", "main..nightly-1.2") == "2\n"


def test_the_commit_of_a_night_whose_pipeline_failed_is_kept_on_the_branch_without_its_section(
    project: Project,
) -> None:
    project.night()
    project.tag_again("1.2.4")
    assert project.night("1.2.3")[0] == 0
    assert all(project.is_ancestor(tag, "nightly-1.2") for tag in ("1.2.4", "1.2.5"))
    assert project.show("nightly-1.2:CHANGELOG.md") == project.changelog("1.2.5").replace("1.2.4", "1.2.3")


def test_a_job_that_is_run_again_does_nothing_twice(project: Project) -> None:
    project.night()
    before = call("git", "-C", project.bare, "for-each-ref")
    code, output = project.night()
    assert (code, "the pipeline of 1.2.4 may still publish it" in output) == (0, True)
    assert call("git", "-C", project.bare, "for-each-ref") == before


def test_a_changelog_of_the_default_branch_that_has_no_such_release_gets_the_one_section_on_top(
    project: Project,
) -> None:
    project.commit("CHANGELOG.md", CHANGELOG.format("2.0.0"))
    project.git("push", "--quiet", "origin", "main")
    project.night()
    expected = CHANGELOG.format("2.0.0").replace("## [2", f"{SECTION.format('1.2.4', '1.2.3')}## [2")
    assert project.show("nightly-1.2:CHANGELOG.md") == expected


@pytest.mark.parametrize("refused", ["refs/tags/1.2.4", "refs/heads/nightly-1.2"])
def test_a_project_that_refuses_tag_or_branch_gets_neither(project: Project, refused: str) -> None:
    hook = project.bare / "hooks/update"
    hook.write_text(f'#!/bin/sh\n[ "$1" != {refused} ]\n')
    hook.chmod(0o755)
    code, output = project.night()
    assert code == 1
    assert "neither the tag 1.2.4 nor the branch nightly-1.2 is pushed; may RELEASE_TOKEN push both?" in output
    assert (
        call("git", "-C", project.bare, "for-each-ref", "--format=%(refname)") == "refs/heads/main\nrefs/tags/1.2.3\n"
    )
    hook.unlink()
    assert project.night()[0] == 0


def test_a_merge_request_that_gitlab_does_not_make_is_named(project: Project) -> None:
    (project.bare / "answer").write_text("WARNINGS:\nError encountered with push options 'merge_request.create': x\n")
    code, output = project.night()
    assert (code, project.tags()) == (10, {"1.2.3", "1.2.4"})
    assert output.endswith("night: GitLab made no merge request of nightly-1.2; open it by hand\n")


def test_the_address_of_the_merge_request_is_in_the_log(project: Project) -> None:
    address = "https://gitlab.example.org/group/project/-/merge_requests/1"
    (project.bare / "answer").write_text(f"View merge request for nightly-1.2:\n  {address}\n")
    assert address in project.night()[1]
