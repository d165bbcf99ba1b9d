"""The variables of a GitLab job as labels: those that SKAO wants, and people only on demand."""

import pytest

from pipeline.build.gitlab import traceability
from pipeline.build.settings import Settings
from pipeline.errors import MetadataError

#: reference/software-release-package-references of SKAO's developer portal.
WANTED = """
CI_COMMIT_AUTHOR CI_COMMIT_REF_NAME CI_COMMIT_REF_SLUG CI_COMMIT_SHA CI_COMMIT_SHORT_SHA CI_COMMIT_TIMESTAMP
CI_JOB_ID CI_JOB_URL CI_PIPELINE_ID CI_PIPELINE_IID CI_PIPELINE_URL CI_PROJECT_ID CI_PROJECT_PATH_SLUG
CI_PROJECT_URL CI_RUNNER_ID CI_RUNNER_REVISION CI_RUNNER_TAGS GITLAB_USER_NAME GITLAB_USER_EMAIL
GITLAB_USER_LOGIN GITLAB_USER_ID
""".split()
PERSONAL = {name for name in WANTED if name.startswith("GITLAB_USER_")} | {"CI_COMMIT_AUTHOR"}
SECRET = {"CI_JOB_TOKEN": "glcbt-secret", "CI_REGISTRY_PASSWORD": "secret"}
JOB = {"GITLAB_CI": "true", **{name: f"the {name}" for name in WANTED}, **SECRET}


def test_every_variable_that_skao_wants_becomes_a_label() -> None:
    assert traceability(JOB, personal=True) == {name: f"the {name}" for name in WANTED}


def test_people_are_named_on_demand_only() -> None:
    assert traceability(JOB, personal=False).keys() == set(WANTED) - PERSONAL


def test_an_empty_variable_is_no_label() -> None:
    assert "CI_RUNNER_TAGS" not in traceability({**JOB, "CI_RUNNER_TAGS": ""}, personal=True)


def test_outside_of_gitlab_there_are_none() -> None:
    assert traceability({**JOB, "GITLAB_CI": ""}, personal=True) == {}


def test_a_line_break_in_a_variable_is_refused_by_its_name() -> None:
    with pytest.raises(MetadataError, match="of the variable CI_COMMIT_REF_NAME holds a line break"):
        traceability({**JOB, "CI_COMMIT_REF_NAME": "a\nb"}, personal=False)


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in JOB.items():
        monkeypatch.setenv(name, value)


def test_a_build_in_a_job_has_its_labels(job: None) -> None:
    assert Settings().labels["CI_JOB_ID"] == "the CI_JOB_ID"


def test_a_build_names_no_person_unless_a_setting_says_so(job: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert PERSONAL.isdisjoint(Settings().labels)
    monkeypatch.setenv("SKA_PERSONAL_LABELS", "true")
    assert Settings().labels.keys() >= PERSONAL


def test_a_label_that_is_given_goes_before_the_variable_of_that_name(job: None) -> None:
    assert Settings(label=["CI_JOB_ID=7"]).labels["CI_JOB_ID"] == "7"


def test_a_job_that_is_run_again_gives_the_labels_of_the_first(job: None, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Settings(label=["a=b"]).labels
    monkeypatch.setenv("CI_JOB_ID", "another")
    monkeypatch.delenv("CI_RUNNER_TAGS")
    # On Dagger's engine the labels of the job are given.
    again = Settings(label=["a=b", "CI_JOB_URL=another"]).by_the_job_of({**first, "team": "of the image"})
    assert again.labels == first
