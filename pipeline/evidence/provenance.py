"""SLSA provenance: how, where and from what an image was built.

Source: https://slsa.dev/spec/v1.1/provenance
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import dagger
from dagger import dag

from pipeline.build.assembly import BuiltImage, open_images
from pipeline.build.gitlab import of_a_job
from pipeline.build.inputs import Build
from pipeline.catalogue.image import Image
from pipeline.catalogue.lookup import find, select
from pipeline.concurrency import concurrently
from pipeline.gates.descriptors import source_descriptor, tool_descriptor
from pipeline.gates.tools import UsedTool
from pipeline.statement import Predicate, Statement, digest_set
from pipeline.text_files import text_files

PREDICATE = "https://slsa.dev/provenance/v1"
#: Described in docs/build-type.md of the source.
BUILD_TYPE = "docs/build-type.md#v1"
OWN_MACHINE = "docs/build-type.md#own-machine"
#: The settings that shape an image and are stated as they are.
_SHAPING = (*("version", "created", "team", "url", "source", "documentation", "vendor", "licenses", "registry"),)
_SNAPSHOTS = "https://snapshot.ubuntu.com/ubuntu/"


@dataclass(frozen=True)
class Run:
    """A run of the pipeline.

    Args:
        platform: the platform of the images, as in linux/amd64.
        engine: the version of Dagger whose API the engine serves.
        started: the time of its start, ISO 8601, UTC.
        finished: the time of its end, ISO 8601, UTC.
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
        names: the names of the images; empty for all.
        started: the time of the run's start, ISO 8601, UTC.
        build: the settings and the base.
        clock: returns the present time in the same form.

    Raises:
        UnknownImageError: there is no such image.
        dagger.ExecError: an image cannot be built.
    """
    wanted = [image.name for image in select(names, build.bases)]
    # All images are packed, because an image's provenance names its parent's digest.
    digests = await digests_of(open_images((), build))
    run = await describe_run(started, clock)
    files = {}
    for name in wanted:
        statement = Statement(build.repository(name), digests[name], provenance_of(name, digests, build, run))
        files[f"{name}.provenance.json"] = statement.render()
    return text_files(files)


async def digests_of(images: Iterable[BuiltImage]) -> dict[str, str]:
    """Pack images, and return the digests of their manifests by name.

    Raises:
        dagger.ExecError: an image cannot be built.
    """
    listed = list(images)
    archives = await concurrently([one.archive.get for one in listed])
    return {one.name: archive.digest for one, archive in zip(listed, archives, strict=True)}


async def describe_run(started: str, clock: Callable[[], str]) -> Run:
    """Describe a run whose images are finished.

    Args:
        started: the time of its start, ISO 8601, UTC.
        clock: returns the present time in the same form.
    """
    return Run(str(await dag.default_platform()), await dag.version(), started, clock())


def provenance_of(
    name: str, digests: Mapping[str, str], build: Build, run: Run, tools: Iterable[UsedTool] = ()
) -> Predicate:
    """Return the provenance of an image.

    Args:
        name: the image's name.
        digests: the digests of manifests by name, including the image's parent.
        build: the settings and the base.
        run: the run that built the image.
        tools: the tools by which the image passed its gates.
    """
    used = [tool_descriptor(tool) for tool in sorted(set(tools), key=lambda tool: tool.name)]
    definition = {
        "buildType": f"{build.settings.source}/-/blob/main/{BUILD_TYPE}",
        "externalParameters": {"image": name, **_parameters(find(name), build)},
        "internalParameters": {"platform": run.platform, "job": of_a_job(build.settings.labels, personal=False)},
        "resolvedDependencies": [*_dependencies(find(name), digests, build), *used],
    }
    return Predicate(PREDICATE, {"buildDefinition": definition, "runDetails": run_details(build, run)})


def _parameters(image: Image, build: Build) -> dict[str, Any]:
    settings = build.settings
    # Labels of the job are stated separately, and labels that name people are not stated at all.
    labels = {key: value for key, value in settings.labels.items() if not of_a_job({key: value})}
    return {
        **{name: getattr(settings, name) for name in _SHAPING},
        "line": image.line.name,
        "base": build.base_of(image).reference,
        "snapshot": build.snapshot_of(image),
        "tags": [settings.version, *build.extra_tags],
        "labels": labels,
    }


def _dependencies(image: Image, digests: Mapping[str, str], build: Build) -> list[dict[str, Any]]:
    base, parent = build.base_of(image).reference, image.parent
    found = [source_descriptor(build), {"name": "base", "uri": base, **_pinned(base.partition("@")[2])}]
    if parent:
        found.append({"name": parent, "uri": build.reference(parent), **_pinned(digests[parent])})
    if snapshot := build.snapshot_of(image):
        found.append({"name": "snapshot", "uri": _SNAPSHOTS + snapshot})
    return found


def _pinned(digest: str) -> dict[str, Any]:
    return {"digest": digest_set(digest)} if digest else {}


def run_details(build: Build, run: Run) -> dict[str, Any]:
    """Return who built an image, and when, as SLSA's provenance states it."""
    source, job = build.settings.source, of_a_job(build.settings.labels)
    runner = "{CI_PROJECT_URL}/-/runners/{CI_RUNNER_ID}"
    in_gitlab = {"CI_PROJECT_URL", "CI_RUNNER_ID", "CI_JOB_URL"} <= job.keys()
    invocation = {"invocationId": job["CI_JOB_URL"]} if in_gitlab else {}
    return {
        "builder": {
            # GitLab's own form: https://docs.gitlab.com/ci/pipeline_security/slsa/provenance_v1/
            "id": runner.format_map(job) if in_gitlab else f"{source}/-/blob/main/{OWN_MACHINE}",
            "version": {"dagger": run.engine},
        },
        "metadata": {**invocation, "startedOn": run.started, "finishedOn": run.finished},
    }
