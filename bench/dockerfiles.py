"""The images' steps as Dockerfiles, read from the chains themselves, so that every builder does the same work."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagger import dag

from pipeline.build import EPOCH, Base, Build
from pipeline.images import by_name, chain
from pipeline.settings import Settings

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
        reference: how the metadata call the base.
        host: what steps get from it.

    Raises:
        ValueError: a chain holds a call that has no line here yet.
    """
    files = {f"host{path}": text for path, text in host.files.items()}
    build = Build(settings, Base(dag.container(), reference))
    for name, image in by_name().items():
        parent = chain(image.parent, build) if image.parent else build.base.container
        own = _calls(chain(name, build))[len(_calls(parent)) :]
        files[f"{name}.Dockerfile"] = _Writer(name, host, files).dockerfile(own)
    return files


def write(files: Mapping[str, str], directory: Path) -> None:
    """Write what `context` returned into a directory."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _calls(value: Any) -> list[Any]:
    # The SDK keeps a chain as the list of its calls: dagger/client/_core.py at 0.21.
    return list(value._ctx.selections)


class _Writer:
    """Writes one image's Dockerfile, and puts what it reads into `files`."""

    def __init__(self, image: str, host: Host, files: dict[str, str]) -> None:
        self._image, self._files = image, files
        self._words = ["env", *(f"{name}={value}" for name, value in host.environment.items())]
        self._mounts = {path: f"type=bind,source=host{path},target={path}" for path in host.files}

    def dockerfile(self, calls: list[Any]) -> str:
        """Return the lines for an image's own calls."""
        # The stage of its own lets a step mount the files that the image starts with.
        lines = [f"ARG {FROM}", f"FROM ${FROM} AS {_BEFORE}", f"FROM {_BEFORE}"]
        for call in calls:
            lines += self._lines(call.name, call.args)
        return "\n".join([*lines, ""])

    def _lines(self, call: str, given: Mapping[str, Any]) -> list[str]:
        if call in ("withMountedCache", "withMountedDirectory", "withMountedFile", "withoutMount"):
            self._mount(given)
            return []
        if call == "withExec":
            # A list in JSON reaches the command as it is; `env` gives it the host's variables.
            mounts = [f"--mount={mount}" for mount in self._mounts.values()]
            return [" ".join(["RUN", *mounts, json.dumps([*self._words, *given["args"]])])]
        if call == "withNewFile":
            self._files[self._image + given["path"]] = given["contents"]
            return [f"COPY {self._image}{given['path']} {given['path']}"]
        if call == "withEnvVariable":
            # The moment dates what the steps write, and is no part of the image.
            word = "ARG" if given["name"] == EPOCH else "ENV"
            return [f"{word} {given['name']}={json.dumps(given['value'])}"]
        if call == "withLabel":
            return [f"LABEL {json.dumps(given['name'])}={json.dumps(given['value'])}"]
        if call == "withDefaultArgs":
            return [f"CMD {json.dumps(given['args'])}"]
        if call == "withoutEntrypoint":
            return ["ENTRYPOINT []"]
        if call in ("withoutLabel", "withoutEnvVariable"):
            return []
        raise ValueError(f"{call} of {self._image} has no line in a Dockerfile yet; add it to bench/dockerfiles.py.")

    def _mount(self, given: Mapping[str, Any]) -> None:
        path = given["path"]
        if "cache" in given:
            # From an empty store a plain Dockerfile has nothing to share; memory is the fastest place for it.
            self._mounts[path] = f"type=tmpfs,target={path}"
        elif "source" in given:
            (file, *_) = calls = _calls(given["source"])
            if calls[-1].name == "directory":
                self._mounts[path] = f"type=bind,from={_BEFORE},target={path}"
                return
            self._files[file.args["name"]] = file.args["contents"]
            self._mounts[path] = f"type=bind,source={file.args['name']},target={path}"
        else:
            del self._mounts[path]
