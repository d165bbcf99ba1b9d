"""Statements on images: as their standards have them, true, and silent on people and secrets."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format as protobuf
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement as Validator

from pipeline.build.inputs import Build
from pipeline.build.labelling import labels_of
from pipeline.build.settings import Settings
from pipeline.catalogue.lookup import find
from pipeline.checks import CheckResult
from pipeline.evidence.provenance import Run, provenance_of
from pipeline.gates.gate_checks import result_of
from pipeline.gates.tools import UsedTool
from pipeline.statement import Predicate, Statement
from tests.built_images import OF_ONE_LINE, RULES, TRIVY, build_on
from tests.conftest import Built
from tests.test_gitlab_labels import JOB, PERSONAL, SECRET

COMMIT = "0123456789abcdef0123456789abcdef01234567"
UBUNTU = f"ubuntu:22.04@sha256:{'b' * 64}"
RUN = Run("linux/amd64", "v0.21.8", "2026-01-31T12:00:00Z", "2026-01-31T12:05:00Z")
IMAGES = list(OF_ONE_LINE)


def _digest(name: str) -> str:
    return f"sha256:{IMAGES.index(name):064}"


DIGESTS = {name: _digest(name) for name in IMAGES}


def _build(base: str = UBUNTU, **given: Any) -> Build:
    settings = Settings(**{"base": UBUNTU, "version": "1.2.3", "created": "2026-01-31T00:00:00Z", **given})
    return build_on(settings, base, ("1.2",))


def _stated(predicate: Predicate, image: str = "ska-base", build: Build | None = None) -> Statement:
    return Statement((build or _build()).repository(image), _digest(image), predicate)


def _statement(image: str, build: Build, *tools: UsedTool) -> dict[str, Any]:
    predicate = provenance_of(image, DIGESTS, build, RUN, tools)
    found: dict[str, Any] = json.loads(_stated(predicate, image, build).render())
    return found


def _dependencies(image: str, build: Build, *tools: UsedTool) -> dict[str, Any]:
    definition = _statement(image, build, *tools)["predicate"]["buildDefinition"]
    return {one.pop("name"): one for one in definition["resolvedDependencies"]}


def _valid(statement: Statement, predicate: Any) -> Any:
    """Read a statement as in-toto's own library does: a field that it does not know is an error."""
    parsed = protobuf.Parse(statement.render(), statement_pb2.Statement())
    Validator.copy_from_pb(parsed).validate()
    return protobuf.Parse(json.dumps(protobuf.MessageToDict(parsed.predicate)), predicate)


def _descriptors_are_valid(descriptors: Sequence[Any]) -> None:
    for one in descriptors:
        ResourceDescriptor.copy_from_pb(one).validate()


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**JOB, "CI_COMMIT_SHA": COMMIT, "SKA_PERSONAL_LABELS": "true"}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("image", IMAGES)
def test_provenance_is_valid(image: str) -> None:
    found = _valid(_stated(provenance_of(image, DIGESTS, _build(), RUN), image), Provenance())
    _descriptors_are_valid(found.build_definition.resolved_dependencies)
    assert found.build_definition.build_type.startswith("https://")


def test_it_is_of_the_image_s_digest() -> None:
    assert _statement("ska-build", _build())["subject"] == [
        {"name": "artefact.skao.int/ska-build", "digest": {"sha256": _digest("ska-build").removeprefix("sha256:")}}
    ]


def test_it_names_base_and_parent_by_their_digests() -> None:
    found = _dependencies("ska-build-python", _build())
    assert found["base"] == {"uri": UBUNTU, "digest": {"sha256": "b" * 64}}
    parent = {"sha256": _digest("ska-build").removeprefix("sha256:")}
    assert found["ska-build"] == {"uri": "artefact.skao.int/ska-build:1.2.3", "digest": parent}
    assert "ska-base" not in found


def test_it_names_an_archive_by_its_digest() -> None:
    base = f"archive:ubuntu.tar@sha256:{'c' * 64}"
    assert _dependencies("ska-base", _build(base))["base"] == {"uri": base, "digest": {"sha256": "c" * 64}}


def test_a_stand_in_has_no_digest() -> None:
    build = _build("bootstrap:debian-12")
    assert _dependencies("ska-base", build)["base"] == {"uri": "bootstrap:debian-12"}


def test_it_names_the_moment_of_the_packages() -> None:
    assert _dependencies("ska-base", _build())["snapshot"]["uri"].endswith("/ubuntu/20260131T000000Z")
    assert "snapshot" not in _dependencies("ska-base", _build(snapshot="off"))


@pytest.mark.parametrize("given", [{"revision": COMMIT}, {"label": [f"org.opencontainers.image.revision={COMMIT}"]}])
def test_it_names_the_commit(given: dict[str, Any]) -> None:
    source = "git+https://gitlab.com/ska-telescope/ska-base-images"
    assert _dependencies("ska-base", _build(**given))["source"] == {
        "uri": f"{source}@{COMMIT}",
        "digest": {"gitCommit": COMMIT},
    }


def test_without_a_commit_it_names_the_repository() -> None:
    assert _dependencies("ska-base", _build())["source"] == {
        "uri": "git+https://gitlab.com/ska-telescope/ska-base-images"
    }


def test_it_names_the_tools_that_let_the_image_pass_by_the_bytes_that_were_used() -> None:
    found = _dependencies("ska-base", _build(), TRIVY, RULES, TRIVY)
    assert list(found)[-2:] == [RULES.name, TRIVY.name]
    assert found["trivy"] == {"uri": "pkg:generic/trivy@0.76.0", "digest": {"sha256": TRIVY.checksum}}


def test_without_a_gate_it_names_no_tool() -> None:
    assert list(_dependencies("ska-base", _build())) == ["source", "base", "snapshot"]


def test_a_setting_that_shapes_the_image_is_a_parameter() -> None:
    build = _build(team="Team", registry="registry.example/ska", label=["a=b"])
    assert _statement("ska-base", build)["predicate"]["buildDefinition"]["externalParameters"] == {
        "image": "ska-base",
        "line": "ubuntu22",
        "base": UBUNTU,
        "version": "1.2.3",
        "created": "2026-01-31T00:00:00Z",
        "team": "Team",
        "url": build.settings.url,
        "source": build.settings.source,
        "documentation": build.settings.documentation,
        "vendor": build.settings.vendor,
        "licenses": build.settings.licenses,
        "registry": "registry.example/ska",
        "snapshot": "20260131T000000Z",
        "tags": ["1.2.3", "1.2"],
        "labels": {"a": "b"},
    }


def test_what_it_says_makes_the_same_labels_again(job: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SKA_PERSONAL_LABELS")
    first = _build(team="Team", label=["a=b"])
    statement = _statement("ska-build", first)["predicate"]["buildDefinition"]
    for name in JOB:
        monkeypatch.delenv(name)
    given = statement["externalParameters"]
    labels = [
        f"{key}={value}" for key, value in {**given.pop("labels"), **statement["internalParameters"]["job"]}.items()
    ]
    (source,) = [one for one in statement["resolvedDependencies"] if one["name"] == "source"]
    image, base, (_, *extra) = given.pop("image"), given["base"], given.pop("tags")
    settings = Settings(**given, label=labels, revision=source["digest"]["gitCommit"])
    again = build_on(settings, base, tuple(extra))
    assert labels_of(find(image), again) == labels_of(find(image), first)


def test_a_job_is_the_run_of_a_runner(job: None) -> None:
    assert _statement("ska-base", _build())["predicate"]["runDetails"] == {
        "builder": {"id": "the CI_PROJECT_URL/-/runners/the CI_RUNNER_ID", "version": {"dagger": "v0.21.8"}},
        "metadata": {"invocationId": "the CI_JOB_URL", "startedOn": RUN.started, "finishedOn": RUN.finished},
    }


def test_outside_of_gitlab_nobody_vouches() -> None:
    details = _statement("ska-base", _build())["predicate"]["runDetails"]
    assert details["builder"]["id"].endswith("/docs/build-type.md#own-machine")
    assert "invocationId" not in details["metadata"]


def test_nothing_names_people_or_tells_secrets(job: None) -> None:
    build = _build(label=["GITLAB_USER_NAME=the name given"])
    checked = result_of("ska-base", (CheckResult("a", True, "x"),), build)
    provenance = [provenance_of(image, DIGESTS, build, RUN) for image in IMAGES]
    for text in (_stated(one).render() for one in (*provenance, *checked.predicates)):
        hidden = {*SECRET.values(), *(f"the {name}" for name in PERSONAL), "the name given"}
        assert [value for value in hidden if value in text] == []
        assert "the CI_JOB_URL" in text


@pytest.mark.parametrize(("passed", "result"), [(True, "PASSED"), (False, "FAILED")])
def test_the_checks_are_a_test_result(passed: bool, result: str, job: None) -> None:
    results = (CheckResult("metadata", True, "fine"), CheckResult("size", passed, "so large"))
    (predicate,) = result_of("ska-base", results, _build()).predicates
    found = _valid(_stated(predicate), test_result_pb2.TestResult())
    _descriptors_are_valid(found.configuration)
    assert (found.result, found.url) == (result, "the CI_JOB_URL")
    assert [*found.passed_tests, *found.failed_tests] == ["metadata", "size"]
    assert list(found.failed_tests) == ([] if passed else ["size"])


def test_cosign_is_given_the_predicate_alone() -> None:
    statement = _stated(provenance_of("ska-base", DIGESTS, _build(), RUN))
    assert json.loads(statement.predicate.encoded()) == json.loads(statement.render())["predicate"]


def test_another_parent_is_another_provenance() -> None:
    moved = {**DIGESTS, "ska-base": f"sha256:{'f' * 64}"}
    one, two = (provenance_of("ska-build", digests, _build(), RUN) for digests in (DIGESTS, moved))
    assert one != two


def test_the_page_of_the_build_type_explains_every_parameter() -> None:
    page = (Path(__file__).parents[2] / "docs/build-type.md").read_text()
    definition = _statement("ska-build", _build())["predicate"]["buildDefinition"]
    assert [name for name in definition["externalParameters"] if f"`{name}`" not in page] == []
    assert "## v1" in page and "## Own machine" in page


def test_the_command_states_what_was_built(built: Built, store: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipeline", "provenance", "--image", "ska-python", "-o", str(tmp_path / "out")]
    options = ["--store", str(store), "--created", built.report["created"], "--snapshot", "off", "--progress", "plain"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (file,) = (tmp_path / "out").iterdir()
    statement = json.loads(file.read_text())
    digests = {one["name"]: one["digest"].removeprefix("sha256:") for one in built.report["images"]}
    found = {one["name"]: one for one in statement["predicate"]["buildDefinition"]["resolvedDependencies"]}
    assert file.name == "ska-python.provenance.json"
    assert statement["subject"][0]["digest"]["sha256"] == digests["ska-python"]
    assert found["ska-base"]["digest"]["sha256"] == digests["ska-base"]
    metadata = statement["predicate"]["runDetails"]["metadata"]
    assert metadata["startedOn"] <= metadata["finishedOn"]
