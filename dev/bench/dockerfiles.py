"""The images as Dockerfiles, written from the catalogue's data, so that every builder does the same work."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dagger import dag

from pipeline.build.inputs import Base, Build
from pipeline.build.labelling import labels_of, metadata_of
from pipeline.build.settings import Settings
from pipeline.catalogue.image import Image
from pipeline.catalogue.lookup import by_name
from pipeline.metadata import PATH
from pipeline.steps.install import CACHE, OWN_FILES
from pipeline.steps.step import EPOCH

#: The build argument for what an image starts from.
FROM = "FROM_IMAGE"
_BEFORE = "before"


@dataclass(frozen=True)
class Host:
    """What steps get from the host, as on the embedded engine.

    Args:
        environment: variables.
        files: contents by absolute path.
    """

    environment: Mapping[str, str]
    files: Mapping[str, str]


def context(settings: Settings, reference: str, host: Host) -> dict[str, str]:
    """Return what builders read: NAME.Dockerfile of each image, and the files that these copy and mount, by path.

    Args:
        settings: of the build.
        reference: how the metadata name the base.
        host: what steps get from it.
    """
    build = Build(settings, Base(dag.container(), reference))
    files = {f"host{path}": text for path, text in host.files.items()}
    for name, image in by_name().items():
        files |= {f"{name}{path}": text for path, text in image.install.files.items()}
        files[f"{name}{PATH}"] = metadata_of(image, build).render()
        files[f"{name}.Dockerfile"] = "".join(f"{line}\n" for line in _dockerfile(image, build, host))
    return files


def write(files: Mapping[str, str], directory: Path) -> None:
    """Write what `context` returned into a directory."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _dockerfile(image: Image, build: Build, host: Host) -> Iterator[str]:
    install = image.install
    yield f"ARG {FROM}"
    # The stage of its own lets the step mount the files that the image starts with.
    yield f"FROM ${FROM} AS {_BEFORE}"
    yield f"FROM {_BEFORE}"
    # The moment dates what the steps write, and is not part of the image.
    yield f"ARG {EPOCH}={json.dumps(build.settings.epoch)}"
    sources = {
        **{path: f"host{path}" for path in host.files},
        **{path: f"{image.name}{path}" for path in install.files},
    }
    # From an empty store a plain Dockerfile has nothing to share; memory is the fastest place for it.
    mounts = [f"type=tmpfs,target={CACHE}", f"type=bind,from={_BEFORE},target={OWN_FILES}"]
    mounts += [f"type=bind,source={source},target={path}" for path, source in sources.items()]
    # A list in JSON reaches the command as it is; `env` gives it the host's variables.
    words = ["env", *(f"{name}={value}" for name, value in host.environment.items()), *install.argv(image.name)]
    yield " ".join(["RUN", *(f"--mount={mount}" for mount in mounts), json.dumps(words)])
    yield from (f"ENV {name}={json.dumps(value)}" for name, value in install.environment.items())
    if install.command:
        yield "ENTRYPOINT []"
        yield f"CMD {json.dumps(install.command)}"
    yield from (f"LABEL {json.dumps(key)}={json.dumps(value)}" for key, value in labels_of(image, build).items())
    yield f"COPY {image.name}{PATH} {PATH}"
