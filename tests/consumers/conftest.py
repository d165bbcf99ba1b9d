"""A private store of a real client, buildah, that holds the built images under their published names."""

import asyncio
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from embedded_engine.host import settings as host

from pipeline.catalogue.lines import find_line
from tests.conftest import SCRATCH, Built, remove_tree

HERE = Path(__file__).parent
#: An empty directory of every image: a mount there leaves nothing behind, as one on a new path would.
SITE = "/mnt"
#: How long a server may take to answer, in seconds; the machine may be busy.
PATIENCE = 60


@dataclass(frozen=True)
class Client:
    """buildah on a store of its own.

    Args:
        directory: everything that it writes.
        network: variables that lead to this machine's network.
        index: variables that make Poetry and uv ask this machine's package index.
    """

    directory: Path
    network: Mapping[str, str]
    index: Mapping[str, str]

    def buildah(self, *argv: str | Path) -> str:
        """Run buildah and return what it printed, both streams.

        Raises:
            AssertionError: it failed; its output says why.
        """
        return call(*self._command(*argv))

    def _command(self, *argv: str | Path) -> list[str | Path]:
        root, run = self.directory / "root", self.directory / "run"
        return ["buildah", "--root", root, "--runroot", run, "--storage-driver", "overlay", *argv]

    def configure(self, name: str, reference: str) -> None:
        """Give an image the site's variables and its plugin of Poetry, as a site's own base image would."""
        has_tools = name.startswith("ska-build")
        variables = self.network if name == "ska-python" else {**self.network, **self.index}
        container = self.buildah("from", "--pull-never", reference).strip()
        if has_tools:
            # Poetry ignores PYTHONPATH.
            find = ("sh", "-c", "echo /usr/lib/pipx/venvs/poetry/lib/python3*/site-packages")
            place = self._printed(container, "root", *find).strip()
            self.buildah("copy", "--quiet", container, self.directory / "site/plugins", place)
        settings = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
        self.buildah("config", *settings, container)
        self.buildah("commit", "--quiet", "--rm", container, reference)

    def build(self, dockerfile: Path, context: Path, tag: str, *argv: str) -> str:
        """Build a Dockerfile as this machine's site would: with its certificates, its package index and its caches."""
        (self.directory / "cache").mkdir(exist_ok=True)
        caches = ("--volume", f"{self.directory / 'cache'}:/root/.cache")
        site = ("--volume", f"{self.directory / 'site'}:{SITE}:ro", *caches)
        how = ("--isolation", "chroot", "--pull-never", "--no-cache")
        return self.buildah("build", *how, *site, *argv, "--file", dockerfile, "--tag", tag, context)

    def locked(self, project: Path) -> Path:
        """Return a copy of a project with its uv.lock, which names the package index that this machine uses."""
        copy = self.directory / "projects" / project.name
        if not copy.exists():
            shutil.copytree(project, copy)
            variables = [f"{name}={value}" for name, value in self.index.items()]
            call("env", *variables, Path(sys.executable).with_name("uv"), "lock", "--quiet", "--project", copy)
        return copy

    def run(self, image: str, user: str, *argv: str) -> str:
        """Run a command in a new container of an image and return what it printed."""
        with self._container(image) as container:
            return self._printed(container, user, *argv)

    @contextlib.contextmanager
    def mounted(self, image: str) -> Iterator[Path]:
        """Mount an image's root file system for the time of a block."""
        with self._container(image) as container:
            yield Path(self.buildah("mount", container).strip())

    @contextlib.contextmanager
    def _container(self, image: str) -> Iterator[str]:
        container = self.buildah("from", "--pull-never", image).strip()
        try:
            yield container
        finally:
            self.buildah("rm", container)

    def _printed(self, container: str, user: str, *argv: str) -> str:
        """Run a command in a container and return what it printed, through a file: buildah loses some of it at times.

        Of 250 runs of `echo hi` on a busy machine, buildah 1.28 printed nothing in one, and ended with 0.
        """
        with tempfile.TemporaryDirectory(dir=self.directory) as directory:
            Path(directory).chmod(0o777)
            into = ("sh", "-euc", '"$@" >"$0" 2>&1 || { code=$?; cat "$0"; exit "$code"; }', f"{SITE}/output", *argv)
            how = ("--isolation", "chroot", "--user", user, "--volume", f"{directory}:{SITE}")
            self.buildah("run", *how, container, "--", *into)
            return (Path(directory) / "output").read_text()

    def answer(self, image: str) -> dict[str, Any]:
        """Start an image's server as its configuration says, and return its answer.

        Raises:
            AssertionError: it ended, or did not answer in time; its output says why.
        """
        port = _free_port()
        how = ("--isolation", "chroot", "--env", f"UVICORN_PORT={port}")
        with self._container(image) as container:
            found = json.loads(self.buildah("inspect", container))["OCIv1"]["config"]
            argv = [*found.get("Entrypoint", []), *found.get("Cmd", [])]
            with _started(self._command("run", *how, container, "--", *argv)) as server:
                return _answer(server, port)


def as_built(name: str) -> str:
    """Return the reference of an image without a site's settings."""
    return f"localhost/as-built/{name}"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def _started(argv: list[str | Path]) -> Iterator["subprocess.Popen[str]"]:
    """Run a program, in a process group of its own, for the time of a block."""
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(argv, text=True, start_new_session=True, **pipes) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _answer(server: "subprocess.Popen[str]", port: int) -> dict[str, Any]:
    last = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < last:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.request("GET", "/")
            return dict(json.load(connection.getresponse()))
        time.sleep(0.1)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    raise AssertionError(f"no answer on port {port}: {server.communicate()[0]}")


def call(*argv: str | Path) -> str:
    """Run a program and return what it printed, both streams.

    Raises:
        AssertionError: it failed; its output says why.
    """
    words = [str(word) for word in argv]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="session")
def client(built: Built, archives: dict[str, Path]) -> Iterator[Client]:
    """The built images in buildah's store, under the references of the report."""
    directory = Path(tempfile.mkdtemp(prefix="ska-images-consumers-", dir=SCRATCH))
    settings = asyncio.run(host.read_host())
    settings.write(directory / "site")
    network = {name: value.replace(host.GUEST, SITE) for name, value in settings.env().items()}
    client = Client(directory, network, _package_index(directory / "site", settings))
    store = f"[overlay@{directory / 'root'}+{directory / 'run'}]"
    for image in built.report["images"]:
        # Dockerfiles name images without the suffix of a line.
        name = image["name"].removesuffix(find_line(built.report["lines"][0]["name"]).suffix)
        reference = image["reference"].replace(image["name"], name)
        call("skopeo", "copy", f"oci-archive:{archives[image['name']]}", f"containers-storage:{store}{reference}")
        client.buildah("tag", reference, as_built(image["name"]))
        client.configure(name, reference)
    yield client
    client.buildah("rm", "--all")
    remove_tree(directory)


def _package_index(site: Path, settings: host.HostSettings) -> dict[str, str]:
    """Return the variables that make Poetry and uv ask the index that this machine's pip asks."""
    lock = ("--no-deps", "--require-hashes", "-r", HERE / "poetry-mirror.lock")
    call(sys.executable, "-m", "pip", "install", "--quiet", "--target", site / "plugins", *lock)
    own = "index-url" in settings.pip
    default = ("-c", "from pip._internal.models.index import PyPI; print(PyPI.simple_url)")
    words = ("-m", "pip", "config", "get", "global.index-url") if own else default
    configured = call(sys.executable, *words).strip()
    return {"POETRY_PYPI_MIRROR_URL": configured, "UV_DEFAULT_INDEX": configured}
