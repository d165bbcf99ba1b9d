"""A server in every way that Dockerfiles build one on the images: each answers as the user of its image."""

from pathlib import Path

import pytest

from tests.consumers.conftest import Client

SERVER = Path(__file__).parent / "server"
#: The uid of each Dockerfile's image.
UIDS = {
    "uv": 1000,
    "uv-project": 65532,
    "uv-pip": 65532,
    "uv-mounted": 65532,
    "poetry-project": 65532,
    "editable": 65532,
    "exported": 65532,
    "linked": 65532,
    "cloned": 65532,
    "scripts": 65532,
    "entrypoint": 1000660000,
    "system-python": 0,
    "copied-tools": 0,
}


def build(client: Client, way: str) -> str:
    """Build the server in one way, once, and return the name of its image."""
    name = f"weather-{way}"
    if name not in client.buildah("images", "--format", "{{.Name}}"):
        client.build(SERVER / f"{way}.Dockerfile", client.locked(SERVER), name)
    return name


def test_every_dockerfile_has_its_user() -> None:
    assert {path.stem for path in SERVER.glob("*.Dockerfile")} == UIDS.keys()


@pytest.mark.parametrize(("way", "uid"), UIDS.items(), ids=UIDS.keys())
def test_the_server_answers(client: Client, way: str, uid: int) -> None:
    assert client.answer(build(client, way)) == {"readings": 2, "compiled": True, "uid": uid}


@pytest.mark.parametrize(
    ("way", "python"), [("system-python", "/usr/bin/python3"), ("copied-tools", "/src/.venv/bin/python")]
)
def test_another_user_runs_what_root_installed(client: Client, way: str, python: str) -> None:
    script = "import msgpack, uvicorn; print(msgpack.Packer.__module__)"
    assert client.run(build(client, way), "nonroot", python, "-c", script) == "msgpack._cmsgpack\n"


def test_no_tool_travels_with_usr_local(client: Client) -> None:
    command = "command -v poetry pip pipx uv || echo none"
    assert client.run(build(client, "system-python"), "root", "sh", "-c", command) == "none\n"


def test_time_zone_and_locale_of_an_image_hold_in_it(client: Client) -> None:
    script = (
        "import datetime, locale; print(datetime.datetime(2026, 7, 1).astimezone().tzname(), locale.getlocale()[1])"
    )
    assert client.run(build(client, "scripts"), "nonroot", "python", "-c", script) == "BST UTF-8\n"
