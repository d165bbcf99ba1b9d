"""A private store of a real client, buildah, that holds the built images under their published names."""

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from embedded_engine.host import settings as host

from tests.conftest import SCRATCH, Built

HERE = Path(__file__).parent
#: An empty directory of every image: a mount there leaves nothing behind, as one on a new path would.
SITE = "/mnt"


@dataclass(frozen=True)
class Client:
    """buildah on a store of its own.

    Args:
        directory: everything that it writes.
        network: variables that lead to this machine's network.
        index: variables that make Poetry ask this machine's package index.
    """

    directory: Path
    network: Mapping[str, str]
    index: Mapping[str, str]

    def buildah(self, *argv: str | Path) -> str:
        """Run buildah and return what it printed, both streams.

        Raises:
            AssertionError: it failed; its output says why.
        """
        root, run = self.directory / "root", self.directory / "run"
        return call("buildah", "--root", root, "--runroot", run, "--storage-driver", "overlay", *argv)

    def configure(self, name: str, reference: str) -> None:
        """Give an image the site's variables and its plugin of Poetry, as a site's own base image would."""
        has_tools = name.startswith("ska-build")
        variables = self.network if name == "ska-python" else {**self.network, **self.index}
        container = self.buildah("from", "--pull-never", reference).strip()
        if has_tools:
            # Poetry ignores PYTHONPATH.
            find = ("sh", "-c", "echo /usr/lib/pipx/venvs/poetry/lib/python3*/site-packages")
            place = self.buildah("run", "--isolation", "chroot", container, "--", *find).strip()
            self.buildah("copy", "--quiet", container, self.directory / "site/plugins", place)
        settings = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
        self.buildah("config", *settings, container)
        self.buildah("commit", "--quiet", "--rm", container, reference)

    def build(self, dockerfile: Path, context: Path, tag: str, *argv: str) -> str:
        """Build a Dockerfile as this machine's site would: with its certificates and its package index."""
        site = ("--volume", f"{self.directory / 'site'}:{SITE}:ro")
        how = ("--isolation", "chroot", "--pull-never", "--no-cache")
        return self.buildah("build", *how, *site, *argv, "--file", dockerfile, "--tag", tag, context)

    def run(self, image: str, user: str, *argv: str) -> str:
        """Run a command in a new container of an image and return what it printed."""
        container = self.buildah("from", "--pull-never", image).strip()
        try:
            return self.buildah("run", "--isolation", "chroot", "--user", user, container, "--", *argv)
        finally:
            self.buildah("rm", container)


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
        reference = image["reference"]
        call("skopeo", "copy", f"oci-archive:{archives[image['name']]}", f"containers-storage:{store}{reference}")
        client.configure(image["name"], reference)
    yield client
    client.buildah("rm", "--all")
    shutil.rmtree(directory)


def _package_index(site: Path, settings: host.HostSettings) -> dict[str, str]:
    """Return the variables that make Poetry ask the index that this machine's pip asks."""
    lock = ("--no-deps", "--require-hashes", "-r", HERE / "poetry-mirror.lock")
    call(sys.executable, "-m", "pip", "install", "--quiet", "--target", site / "plugins", *lock)
    own = "index-url" in settings.pip
    default = ("-c", "from pip._internal.models.index import PyPI; print(PyPI.simple_url)")
    asked = call(sys.executable, *(("-m", "pip", "config", "get", "global.index-url") if own else default))
    return {"POETRY_PYPI_MIRROR_URL": asked.strip()}
