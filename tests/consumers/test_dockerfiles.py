"""Every project of dockerfiles/, built from its Dockerfile as it stands and run."""

from pathlib import Path

import pytest

from tests.consumers.conftest import Client

DOCKERFILES = Path(__file__).parents[2] / "dockerfiles"
PROJECTS = sorted(path.parent for path in DOCKERFILES.glob("*/Dockerfile"))
#: What the program of each project prints, from the machine's compiled code.
COMMANDS = dict.fromkeys(
    ("python-poetry", "python-uv"),
    ("python -m my_project", "3 readings: 172 bytes of MessagePack, 200 of JSON; C extension: yes\n"),
)


@pytest.fixture(scope="module", params=PROJECTS, ids=lambda path: path.name)
def project(request: pytest.FixtureRequest, client: Client) -> str:
    """A project's name, after its image was built under that name."""
    directory: Path = request.param
    dockerfile = directory / "Dockerfile"
    context = client.locked(directory) if "uv.lock" in dockerfile.read_text() else directory
    client.build(dockerfile, context, directory.name)
    return directory.name


@pytest.mark.parametrize("user", ["root", "nonroot"])
def test_a_project_runs(client: Client, project: str, user: str) -> None:
    command, printed = COMMANDS[project]
    assert client.run(project, user, "sh", "-c", command) == printed


def test_every_project_says_how_to_build_and_run_it(project: str) -> None:
    readme = (DOCKERFILES / project / "README.md").read_text()
    command, printed = COMMANDS[project]
    assert command in readme
    assert printed.strip() in readme
