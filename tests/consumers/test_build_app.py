"""Projects of dockerfiles/ as build-app makes them, beside what their own Dockerfiles make."""

import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.conftest import Built
from tests.consumers.conftest import Client, call
from tests.consumers.test_dockerfiles import COMMANDS, DOCKERFILES

#: What the image of an application holds besides its interpreter: the distributions and the console scripts.
CONTENT = """
import importlib.metadata, json
listed = [one for one in importlib.metadata.distributions() if "/src/" in str(one.locate_file(""))]
print(json.dumps(sorted(f"{one.name} {one.version}" for one in listed)))
"""
OF_THE_TEAM = ("--team", "Team Readings", "--url", "https://readings.example/docs")


@pytest.fixture(scope="module", params=sorted(COMMANDS))
def project(request: pytest.FixtureRequest, client: Client, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of dockerfiles/, with its lock, after its image was built from its Dockerfile under its name."""
    directory = DOCKERFILES / request.param
    copy: Path = tmp_path_factory.mktemp("project") / directory.name
    locked = "uv.lock" in (directory / "Dockerfile").read_text()
    context = client.locked(directory) if locked else directory
    shutil.copytree(context, copy)
    client.build(copy / "Dockerfile", copy, directory.name)
    with (copy / "pyproject.toml").open("a") as file:
        file.write('\n[tool.ska-images.app]\nsource = "https://readings.example/source"\n')
    return copy


@pytest.fixture(scope="module")
def application(project: Path, client: Client, built: Built, store: Path) -> str:
    """The name under which buildah has the application that build-app makes of the project."""
    archive = project / "application.tar"
    created = ("--created", built.report["created"], "--base", built.report["lines"][0]["base"])
    own = ("build-app", "--source", project, "--entrypoint", "python -m my_project", *OF_THE_TEAM)
    argv = [sys.executable, "-m", "pipeline", *own, *created, "--store", store, "-o", archive]
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    name = f"app-{project.name}"
    storage = f"[overlay@{client.directory / 'root'}+{client.directory / 'run'}]"
    call("skopeo", "copy", f"oci-archive:{archive}", f"containers-storage:{storage}localhost/{name}:latest")
    return name


@pytest.mark.parametrize("user", ["root", "nonroot", "12345"])
def test_it_prints_what_the_image_of_the_dockerfile_prints(
    client: Client, project: Path, application: str, user: str
) -> None:
    command, printed = COMMANDS[project.name]
    assert client.run(application, user, "sh", "-c", command) == printed


def test_it_holds_the_same_distributions_but_for_those_of_development(
    client: Client, project: Path, application: str
) -> None:
    of_dockerfile, of_app = (
        json.loads(client.run(name, "nonroot", "python", "-c", CONTENT)) for name in (project.name, application)
    )
    # The Dockerfile copies the source, and Poetry puts pip into environments.
    assert {name for name in of_dockerfile if not name.startswith("pip ")} == set(of_app) - {"my-project 0.1.0"}


def test_its_entrypoint_starts_it(client: Client, project: Path, application: str) -> None:
    inspected = json.loads(client.buildah("inspect", "--type", "image", application))
    assert inspected["OCIv1"]["config"]["Entrypoint"] == ["python", "-m", "my_project"]


def test_its_lowest_layers_are_those_of_the_runtime_image(
    project: Path, archives: dict[str, Path], application: str
) -> None:
    runtime, app = (_layers(archive) for archive in (archives["ska-python"], project / "application.tar"))
    assert app[: len(runtime)] == runtime


def _layers(archive: Path) -> list[str]:
    with tarfile.open(archive) as opened:

        def read(name: str) -> dict[str, list[dict[str, str]]]:
            file = opened.extractfile(name)
            assert file is not None
            return dict(json.load(file))

        digest = read("index.json")["manifests"][0]["digest"]
        return [layer["digest"] for layer in read(f"blobs/{digest.replace(':', '/')}")["layers"]]
