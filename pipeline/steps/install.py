"""What an image adds to its parent: shell scripts of this folder, variables and a default command."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import dagger
from dagger import dag

from pipeline.errors import CatalogueError
from pipeline.steps.hardening import HARDENING

#: Holds package lists, packages and wheels while a step runs, so that none of them is in a layer.
CACHE = "/mnt"
#: What a base brings that must go, one thing a line: `user NAME` or `path PATH`.
UNWANTED = "/run/unwanted"
#: The image's own files, as they are before the step.
OWN_FILES = "/run/image"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SCRIPTS = Path(__file__).parent
_LOCK = _SCRIPTS.parent / "data" / "python-tools.lock"
_LOCK_IN_STEP = "/run/python-tools.lock"
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Install:
    """What an image adds to its parent.

    Args:
        scripts: the names of scripts beside this file, without .sh; they run as one, in this order; may be empty.
        arguments: $1, $2 … of the scripts.
        files: texts by their paths, which the scripts can read and the image does not keep.
        environment: variables of the image.
        command: the default command, instead of the parent's; empty to keep that.
        brings_python: whether it installs Python.
    """

    scripts: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    environment: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    command: tuple[str, ...] = ()
    brings_python: bool = False

    def argv(self, image: str) -> tuple[str, ...]:
        """Return the command that runs the scripts; its $0 is the step's name in progress and errors."""
        return ("sh", "-euc", shell(*self.scripts), f"{image}: install", *self.arguments)

    def on(self, container: dagger.Container, image: str) -> dagger.Container:
        """Add all of it to a container.

        Args:
            container: the parent.
            image: the name of the image.
        """
        if self.scripts:
            container = self._run(container, image)
        for name, value in self.environment.items():
            container = container.with_env_variable(name, value)
        if self.command:
            container = container.without_entrypoint().with_default_args(list(self.command))
        return container

    def _run(self, container: dagger.Container, image: str) -> dagger.Container:
        container = with_apt_cache(with_own_files(container), image)
        for path, text in self.files.items():
            container = container.with_mounted_file(path, dag.file(Path(path).name, text))
        container = container.with_exec(list(self.argv(image)))
        for path in (CACHE, OWN_FILES, *self.files):
            container = container.without_mount(path)
        return container


def shell(*scripts: str) -> str:
    """Return scripts of this folder as one, in the order given."""
    return "\n".join((_SCRIPTS / f"{name}.sh").read_text() for name in scripts)


def with_apt_cache(container: dagger.Container, image: str) -> dagger.Container:
    """Mount the cache volume that apt.sh works on; each image has its own, so that siblings do not wait."""
    volume = dag.cache_volume(f"ska-apt-{image}")
    return container.with_mounted_cache(CACHE, volume, sharing=dagger.CacheSharingMode.LOCKED)


def with_own_files(container: dagger.Container) -> dagger.Container:
    """Mount the image's own files read-only, without the files that an engine adds for the time of an exec.

    Dagger's engine installs custom certificate authorities that way:
    https://github.com/dagger/dagger/blob/v0.21.8/engine/engineutil/cacerts/distros.go
    """
    return container.with_mounted_directory(OWN_FILES, container.directory("/"), read_only=True)


def hardened_base() -> Install:
    """Bring a base up to date and harden it; the image adds the file UNWANTED."""
    return Install(
        ("origin", "apt", "harden", "base", "tidy"),
        tuple(edit.function for edit in HARDENING),
        # Dockerfiles extend PATH, and some bases have none.
        environment={"PATH": PATH, "LANG": "C.UTF-8"},
        command=("bash",),
    )


def packages(*names: str, environment: Mapping[str, str] = _NOTHING) -> Install:
    """Install packages of the distribution.

    Args:
        names: of the packages; recommended packages are left out.
        environment: variables of the image.
    """
    return Install(("apt", "packages", "tidy"), names, environment=environment)


def build_tools() -> Install:
    """Install compilers, Python and pip, and pipx, Poetry and uv from the lock of this project."""
    return Install(
        ("apt", "build", "python", "tidy"),
        (locked_version("poetry"), locked_version("uv")),
        files={_LOCK_IN_STEP: _LOCK.read_text()},
        environment={
            # Dockerfiles pin other versions of tools with `pip install --user` or pipx.
            "PATH": f"/root/.local/bin:{PATH}",
            # The runtime image has the same Python; a downloaded one would not be there.
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_PYTHON_PREFERENCE": "only-system",
            # A cache mount is another file system, where hard links are impossible.
            "UV_LINK_MODE": "copy",
        },
        brings_python=True,
    )


def runtime_python() -> Install:
    """Install Python alone."""
    return Install(("apt", "packages", "python", "tidy"), ("python3", "python-is-python3"), brings_python=True)


def locked_version(tool: str) -> str:
    """Return the version of a Python program that the lock pins.

    Args:
        tool: its name on PyPI.

    Raises:
        CatalogueError: the lock does not pin it.
    """
    found = re.search(rf"^{re.escape(tool)}==([^ ]+) ", _LOCK.read_text(), re.MULTILINE)
    if found is None:
        raise CatalogueError(f"{_LOCK.name} does not pin {tool}; add it to python-tools.in and run `make lock`.")
    return found[1]
