"""How Dockerfiles use the images beyond the documented one: each way builds, and its program runs."""

from pathlib import Path

import pytest

from tests.consumers.conftest import Client
from tests.consumers.test_dockerfiles import COMMANDS, DOCKERFILES

HERE = Path(__file__).parent
PROJECT = DOCKERFILES / "python-poetry"
PRINTED = COMMANDS[PROJECT.name][1]


@pytest.mark.parametrize("user", ["0", "65532", "12345"])
def test_any_user_installs_into_an_environment_with_pip(client: Client, user: str) -> None:
    client.build(HERE / "any-user.Dockerfile", PROJECT, f"user-{user}", "--build-arg", f"USER_ID={user}")
    assert client.run(f"user-{user}", user, "/tmp/environment/bin/python", "-m", "my_project") == PRINTED


def test_root_pins_other_versions_of_tools(client: Client) -> None:
    client.build(HERE / "pinned-tools.Dockerfile", PROJECT, "pinned-tools")


def test_pip_leaves_nothing_out_that_the_tools_use_too(client: Client) -> None:
    client.build(HERE / "left-out.Dockerfile", HERE, "left-out")
    names = "click, packaging, setuptools, wheel, colorama, argcomplete, userpath"
    assert client.run("left-out", "nonroot", "python3", "-c", f"import {names}; print(click.__name__)") == "click\n"


def test_every_tool_works_for_an_arbitrary_uid(client: Client) -> None:
    client.build(HERE / "arbitrary-uid.Dockerfile", PROJECT, "arbitrary-uid")


def test_a_container_for_development_has_a_user_1000_who_can_read_everything(client: Client) -> None:
    client.build(HERE / "development.Dockerfile", HERE, "development")
    command = "id -u; sudo id -u 2>/dev/null; cat /made/file; date +%z; python-net -c 'print(1)'"
    assert client.run("development", "developer", "sh", "-c", command) == "1000\n0\ntext\n+0200\n1\n"


def test_root_adds_a_package_to_the_runtime_image(client: Client) -> None:
    client.build(HERE / "apt.Dockerfile", HERE, "apt")
    assert client.run("apt", "nonroot", "/usr/bin/python", "-c", "import yaml; print(yaml.safe_load('[1]'))") == "[1]\n"


def test_the_registry_and_the_version_are_build_arguments(client: Client) -> None:
    arguments = ("--build-arg", "REGISTRY=registry.invalid/ska", "--build-arg", "VERSION=9.9.9")
    with pytest.raises(AssertionError, match=r"registry\.invalid/ska/ska-build-python:9\.9\.9"):
        client.build(PROJECT / "Dockerfile", PROJECT, "elsewhere", *arguments)
