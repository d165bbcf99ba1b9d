"""Provenance: from what, how and where an image was built, as SLSA has it.

Source: https://slsa.dev/spec/v1.1/provenance
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagger
from dagger import dag

from pipeline.build.assembly import Finished, finish_images
from pipeline.build.gitlab import of_a_job
from pipeline.build.inputs import Build
from pipeline.catalogue.lookup import find
from pipeline.evidence.statement import Statement, digest_set, repository, source_of
from pipeline.gates.tools import TOOLS

PREDICATE = "https://slsa.dev/provenance/v1"
#: Described in docs/build-type.md of the source.
BUILD_TYPE = "docs/build-type.md#v1"
OWN_MACHINE = "docs/build-type.md#own-machine"
#: The settings that decide what an image is. Labels, and those that need a word more, are added.
_SHAPING = (
    *("base", "version", "created", "team", "url", "source", "documentation", "vendor", "licenses", "registry"),
)
#: What every image is held against.
SCANNERS = ("trivy",)
_SNAPSHOTS = "https://snapshot.ubuntu.com/ubuntu/"


@dataclass(frozen=True)
class Run:
    """One run of the pipeline.

    Args:
        platform: of the images, as in linux/amd64.
        engine: the version of Dagger whose API the engine serves.
        started: ISO 8601, UTC.
        finished: the same.
    """

    platform: str
    engine: str
    started: str
    finished: str


async def provenance_directory(
    names: Iterable[str], started: str, build: Build, clock: Callable[[], str]
) -> dagger.Directory:
    """Build images, and return a directory with NAME.provenance.json for each.

    Args:
        names: of the images; all, where there are none.
        started: when this began, ISO 8601, UTC.
        build: the settings and the base.
        clock: says the same of now.

    Raises:
        UnknownImageError: there is no such image.
        dagger.ExecError: an image cannot be built.
    """
    wanted = [find(name).name for name in names]
    # All of them, since the provenance of an image names its parent's digest.
    finished = await finish_images((), build)
    run = await describe_run(started, clock)
    directory = dag.directory()
    for image, statement in provenance_of(finished, build, run).items():
        if not wanted or image in wanted:
            directory = directory.with_new_file(f"{image}.provenance.json", statement.render())
    return directory


async def describe_run(started: str, clock: Callable[[], str]) -> Run:
    """Return what is to be said of a run whose images are finished.

    Args:
        started: when it began, ISO 8601, UTC.
        clock: says the same of now.
    """
    return Run(str(await dag.default_platform()), await dag.version(), started, clock())


def provenance_of(
    images: Sequence[Finished], build: Build, run: Run, tools: Iterable[str] = SCANNERS
) -> dict[str, Statement]:
    """Return the provenance of each image by its name.

    Args:
        images: with the parents of each.
        build: their settings and base.
        run: in which they were built.
        tools: whose findings let the images pass, names of TOOLS.
    """
    used = [tool_descriptor(name) for name in sorted(set(tools))]
    digests = {one.image.name: one.archive.digest for one in images}
    details = _run_details(build, run)
    statements = {}
    for one in images:
        name = one.image.name
        definition = {
            "buildType": f"{build.settings.source}/-/blob/main/{BUILD_TYPE}",
            "externalParameters": {"image": name, **_parameters(build)},
            "internalParameters": {"platform": run.platform, "job": of_a_job(build.settings.labels, personal=False)},
            "resolvedDependencies": [*_dependencies(one.image.parent, digests, build), *used],
        }
        predicate = {"buildDefinition": definition, "runDetails": details}
        statements[name] = Statement(repository(name, build), digests[name], PREDICATE, predicate)
    return statements


def _parameters(build: Build) -> dict[str, Any]:
    settings = build.settings
    # What leads to the job is told as such, and what names people is not told at all.
    labels = {key: value for key, value in settings.labels.items() if not of_a_job({key: value})}
    return {
        **{name: getattr(settings, name) for name in _SHAPING},
        "base": build.base.reference,
        "snapshot": settings.snapshot_id,
        "tags": [settings.version, *build.extra_tags],
        "labels": labels,
    }


def _dependencies(parent: str | None, digests: Mapping[str, str], build: Build) -> list[dict[str, Any]]:
    base = build.base.reference
    found = [source_of(build), {"name": "base", "uri": base, **_pinned(base.partition("@")[2])}]
    if parent:
        found.append({"name": parent, "uri": build.reference(parent), **_pinned(digests[parent])})
    if build.settings.snapshot_id:
        found.append({"name": "snapshot", "uri": _SNAPSHOTS + build.settings.snapshot_id})
    return found


def tool_descriptor(name: str) -> dict[str, Any]:
    """Return the descriptor of a tool, with its version and digest."""
    tool = TOOLS[name]
    (checksum,) = tool.files
    return {"name": name, "uri": f"pkg:generic/{name}@{tool.version}", "digest": {"sha256": checksum}}


def _pinned(digest: str) -> dict[str, Any]:
    return {"digest": digest_set(digest)} if digest else {}


def _run_details(build: Build, run: Run) -> dict[str, Any]:
    source, job = build.settings.source, of_a_job(build.settings.labels)
    runner = "{CI_PROJECT_URL}/-/runners/{CI_RUNNER_ID}"
    in_gitlab = {"CI_PROJECT_URL", "CI_RUNNER_ID", "CI_JOB_URL"} <= job.keys()
    invocation = {"invocationId": job["CI_JOB_URL"]} if in_gitlab else {}
    return {
        "builder": {
            # As GitLab names itself: https://docs.gitlab.com/ci/pipeline_security/slsa/provenance_v1/
            "id": runner.format_map(job) if in_gitlab else f"{source}/-/blob/main/{OWN_MACHINE}",
            "version": {"dagger": run.engine},
        },
        "metadata": {**invocation, "startedOn": run.started, "finishedOn": run.finished},
    }
