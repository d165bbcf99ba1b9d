"""The images as Dockerfiles, written from the catalogue's data, so that every builder does the same work."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dagger import dag

from pipeline.build.base import distribution_of
from pipeline.build.inputs import Base, Build
from pipeline.build.labelling import labels_of, metadata_of
from pipeline.build.settings import Settings
from pipeline.catalogue.image import Image
from pipeline.catalogue.lines import find_line
from pipeline.metadata import PATH
from pipeline.steps.install import CACHE, LISTS, OWN_FILES
from pipeline.steps.step import EPOCH

#: The build argument that names the image to start from.
FROM = "FROM_IMAGE"
_BEFORE = "before"


@dataclass(frozen=True)
class Host:
    """The host's contribution to steps, as on the embedded engine.

    Args:
        environment: the variables.
        files: the contents by absolute path.
    """

    environment: Mapping[str, str]
    files: Mapping[str, str]


def context(settings: Settings, reference: str, host: Host) -> dict[str, str]:
    """Return the build context: NAME.Dockerfile of each image, and the files that it copies and mounts, by path.

    Args:
        settings: the settings of the build.
        reference: the name of the base in the metadata.
        host: the host's contribution to steps.
    """
    line = find_line(settings.lines[0])
    base = Base(dag.container(), reference, distribution_of(line, reference))
    build = Build(settings, {line.name: base})
    files = {f"host{path}": text for path, text in host.files.items()}
    for name, image in build.images.items():
        files |= {f"{name}{path}": text for path, text in image.install.files.items()}
        files[f"{name}{PATH}"] = metadata_of(image, build).render()
        files[f"{name}.Dockerfile"] = "".join(f"{line}\n" for line in _dockerfile(image, build, host))
    return files


def write(files: Mapping[str, str], directory: Path) -> None:
    """Write the result of `context` into a directory."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _dockerfile(image: Image, build: Build, host: Host) -> Iterator[str]:
    install = image.install
    yield f"ARG {FROM}"
    # A stage of its own lets the step mount files of the image that it starts from.
    yield f"FROM ${FROM} AS {_BEFORE}"
    yield f"FROM {_BEFORE}"
    # The time dates what the steps write, and is not part of the image.
    yield f"ARG {EPOCH}={json.dumps(build.settings.epoch)}"
    sources = {
        **{path: f"host{path}" for path in host.files},
        **{path: f"{image.name}{path}" for path in install.files},
    }
    # A plain Dockerfile with an empty cache shares nothing, and memory is the fastest place for packages.
    mounts = [*(f"type=tmpfs,target={path}" for path in (CACHE, LISTS)), f"type=bind,from={_BEFORE},target={OWN_FILES}"]
    mounts += [f"type=bind,source={source},target={path}" for path, source in sources.items()]
    # A JSON list reaches the command unchanged; `env` adds the host's variables.
    words = ["env", *(f"{name}={value}" for name, value in host.environment.items()), *install.argv(image.name)]
    yield " ".join(["RUN", *(f"--mount={mount}" for mount in mounts), json.dumps(words)])
    yield from (f"ENV {name}={json.dumps(value)}" for name, value in install.environment.items())
    if install.command:
        yield "ENTRYPOINT []"
        yield f"CMD {json.dumps(install.command)}"
    yield from (f"LABEL {json.dumps(key)}={json.dumps(value)}" for key, value in labels_of(image, build).items())
    yield f"COPY {image.name}{PATH} {PATH}"
