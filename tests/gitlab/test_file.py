"""What .gitlab-ci.yml and its parts say, without running them."""

import csv
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.gitlab.pipeline import ROOT, Document, jobs, load, matching, read, run

FILES = (ROOT / ".gitlab-ci.yml", *sorted((ROOT / ".gitlab/ci").glob("*.yml")))
ENGINES = ("embedded", "docker", "kubernetes")
ALL = {engine: jobs(load({"SKA_ENGINE": engine})) for engine in ENGINES}
EVERY = [(engine, name) for engine, listed in ALL.items() for name in listed]
IMAGE = re.compile(r"[a-z0-9.:/-]+:(?P<tag>[A-Za-z0-9._-]+)@sha256:[0-9a-f]{64}")
#: Words of which a variable's name is made that holds a secret.
SECRET = re.compile(r"PASSWORD|TOKEN|SECRET|KEY|CREDENTIAL")


def _schema(*files: Path) -> "subprocess.CompletedProcess[str]":
    program = Path(sys.executable).with_name("check-jsonschema")
    argv = [program, "--builtin-schema", "vendor.gitlab-ci", *files]
    return subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_gitlab_s_schema_takes_every_file() -> None:
    done = _schema(*FILES)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_gitlab_s_schema_refuses_a_misspelt_keyword(tmp_path: Path) -> None:
    file = tmp_path / ".gitlab-ci.yml"
    file.write_text(FILES[0].read_text().replace("artifacts:", "artefacts:"))
    assert _schema(file).returncode == 1


def _moving(job: Document) -> list[str]:
    """Return the images of a job that are not named by version and digest."""
    named = [one["name"] if isinstance(one, dict) else one for one in (job["image"], *job.get("services", []))]
    matches = {image: IMAGE.fullmatch(image) for image in named}
    return [image for image, match in matches.items() if match is None or match["tag"] == "latest"]


@pytest.mark.parametrize(("engine", "name"), EVERY)
def test_a_job_s_images_are_named_by_version_and_digest(engine: str, name: str) -> None:
    assert _moving(ALL[engine][name]) == []


def test_an_image_that_moves_is_seen() -> None:
    digest = "@sha256:" + "0" * 64
    service = {"name": f"docker:latest{digest}", "alias": "docker"}
    assert _moving({"image": "debian:12", "services": [service, f"docker:1{digest}"]}) == ["debian:12", service["name"]]


@pytest.mark.parametrize(("engine", "name"), EVERY)
def test_a_job_has_a_time_limit_and_says_whether_it_may_be_interrupted(engine: str, name: str) -> None:
    job = ALL[engine][name]
    assert re.fullmatch(r"\d+ (minutes|hours?)", job["timeout"])
    assert isinstance(job["interruptible"], bool)


@pytest.mark.parametrize(("engine", "name"), EVERY)
def test_a_job_belongs_to_a_stage_and_waits_for_jobs_that_exist(engine: str, name: str) -> None:
    job = ALL[engine][name]
    assert job["stage"] in load({})["stages"]
    needed = [one["job"] if isinstance(one, dict) else one for one in job.get("needs", [])]
    assert set(needed) <= ALL[engine].keys()


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(KeyError, match=r"\.engine"):
        jobs(load({"SKA_ENGINE": "podman"}))


def test_the_embedded_engine_is_the_default() -> None:
    assert jobs(load({})) == ALL["embedded"]


def _values(node: Any, key: str = "") -> list[tuple[str, str]]:
    """Return every text of a document with the key that it stands under."""
    if isinstance(node, dict):
        return [pair for name, value in node.items() for pair in _values(value, name)]
    if isinstance(node, list):
        return [pair for value in node for pair in _values(value, key)]
    return [(key, str(node))]


def _secrets(document: Document) -> list[str]:
    """Return what sets a secret, or puts one into an argument where the name of its variable would do (env://NAME)."""
    return [
        f"{key}: {value}"
        for key, value in _values(document)
        if SECRET.search(key) or re.search(rf"\$\{{?\w*({SECRET.pattern})", value)
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_file_holds_a_secret_or_hands_one_to_a_command(file: Path) -> None:
    assert _secrets(read(file)) == []


def test_a_secret_in_a_file_is_seen() -> None:
    planted = {"job": {"variables": {"A_TOKEN": "x"}, "script": ["login --password=${A_PASSWORD}", "env://A_PASSWORD"]}}
    assert _secrets(planted) == ["A_TOKEN: x", "script: login --password=${A_PASSWORD}"]


@pytest.mark.parametrize("line", ["false", "false | cat", "no-such-program 2>/dev/null"])
def test_a_line_that_fails_ends_its_job(line: str, tmp_path: Path) -> None:
    done = run({"before_script": [line], "script": ["echo went on"]}, dict(os.environ), tmp_path)
    assert done.returncode != 0
    assert "\nwent on" not in done.stdout


def test_the_program_of_dagger_is_the_module_s_or_newer() -> None:
    wanted = re.search(r'"engineVersion": "v([\d.]+)"', (ROOT / "dagger.json").read_text())
    variables = ALL["docker"]["build-all"]["variables"]
    assert wanted
    assert [int(part) for part in variables["DAGGER_VERSION"].split(".")] >= [int(p) for p in wanted[1].split(".")]
    assert re.fullmatch(r"[0-9a-f]{64}", variables["DAGGER_INSTALL_SHA256"])


def test_dagger_is_not_given_the_pipeline_s_files() -> None:
    assert '"!.gitlab",' in (ROOT / "dagger.json").read_text()


#: What starts a pipeline, and the jobs that it has.
PUSH = {"CI_PIPELINE_SOURCE": "push", "CI_DEFAULT_BRANCH": "main", "CI_COMMIT_REF_PROTECTED": "true"}
TESTED = {"test", "build-all"}
PUBLISHED = {*TESTED, "publish"}
PIPELINES: dict[str, tuple[dict[str, str], set[str]]] = {
    "a merge request": ({"CI_PIPELINE_SOURCE": "merge_request_event", "CI_COMMIT_REF_PROTECTED": "true"}, TESTED),
    "the default branch": ({**PUSH, "CI_COMMIT_BRANCH": "main"}, PUBLISHED),
    "the default branch, by hand": ({**PUSH, "CI_COMMIT_BRANCH": "main", "CI_PIPELINE_SOURCE": "web"}, TESTED),
    "a version": ({**PUSH, "CI_COMMIT_TAG": "v1.2.3"}, {*PUBLISHED, "announce", "promote"}),
    "a version that anybody may tag": ({**PUSH, "CI_COMMIT_TAG": "1.2.3", "CI_COMMIT_REF_PROTECTED": "false"}, TESTED),
    "a pre-release": ({**PUSH, "CI_COMMIT_TAG": "1.2.3-rc.1"}, {*PUBLISHED, "announce"}),
    "a night": ({**PUSH, "CI_COMMIT_BRANCH": "main", "CI_PIPELINE_SOURCE": "schedule"}, {"night"}),
    "another tag": ({**PUSH, "CI_COMMIT_TAG": "1.2"}, set()),
    "another branch": ({**PUSH, "CI_COMMIT_BRANCH": "other"}, set()),
}


@pytest.mark.parametrize(("what", "engine"), [*itertools.product(PIPELINES, ENGINES)])
def test_a_pipeline_has_its_jobs(what: str, engine: str) -> None:
    variables, expected = PIPELINES[what]
    document = load({"SKA_ENGINE": engine})
    if matching(document["workflow"]["rules"], variables) is None:
        assert expected == set()
    else:
        listed = jobs(document).items()
        assert {name for name, job in listed if matching(job.get("rules"), variables) is not None} == expected


@pytest.mark.parametrize(
    ("variables", "version"),
    [
        ({"CI_COMMIT_TAG": "1.2.3"}, "1.2.3"),
        ({"CI_COMMIT_TAG": "v1.2.3-rc.1"}, "1.2.3-rc.1"),
        ({"CI_COMMIT_SHORT_SHA": "0a1b2c3d"}, "{project}-dev.c0a1b2c3d"),
    ],
)
def test_the_version_is_the_tag_s_or_the_commit_s(variables: dict[str, str], version: str) -> None:
    project = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert project
    argv = [".gitlab/ci/version.sh"]
    done = subprocess.run(argv, cwd=ROOT, env=variables, capture_output=True, text=True, check=True)
    assert done.stdout == version.format(project=project[1]) + "\n"


def _labels_given_to_dagger(tmp_path: Path, **variables: str) -> list[str]:
    program = tmp_path / "dagger"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CI_COMMIT_SHA": "abc"}
    argv = [str(ROOT / ".gitlab/ci/dagger.sh"), "images"]
    done = subprocess.run(argv, cwd=ROOT, env=path | variables, capture_output=True, text=True, check=True)
    *start, label, end = done.stdout.splitlines()
    assert (start, end) == (["-m", ".", "call"], "images")
    return next(csv.reader([label.removeprefix("--label=")]))


def test_dagger_is_given_the_labels_of_the_job_and_no_secret(tmp_path: Path) -> None:
    job = {"CI_JOB_ID": "7", "CI_RUNNER_TAGS": '["a", "b"]', "CI_JOB_URL": "", "CI_JOB_TOKEN": "secret"}
    assert _labels_given_to_dagger(tmp_path, **job) == [
        "CI_COMMIT_SHA=abc",
        "CI_JOB_ID=7",
        'CI_RUNNER_TAGS=["a", "b"]',
        "org.opencontainers.image.revision=abc",
    ]


def test_dagger_is_given_people_on_demand_only(tmp_path: Path) -> None:
    assert "GITLAB_USER_ID=1" not in _labels_given_to_dagger(tmp_path, GITLAB_USER_ID="1")
    assert "GITLAB_USER_ID=1" in _labels_given_to_dagger(tmp_path, GITLAB_USER_ID="1", SKA_PERSONAL_LABELS="true")
