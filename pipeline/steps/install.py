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

#: Holds packages and wheels while a step runs, so that none of them is in a layer.
CACHE = "/mnt"
#: Package lists, as apt.sh fetches them.
LISTS = "/run/apt"
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

    def on(self, container: dagger.Container, image: str, lists: dagger.Directory | None = None) -> dagger.Container:
        """Add all of it to a container.

        Args:
            container: the parent.
            image: the name of the image.
            lists: the package lists to install from, as `package_lists` returns; those of the parent by default.
        """
        if self.scripts:
            container = self._run(container, image, lists or package_lists(container, image))
        for name, value in self.environment.items():
            container = container.with_env_variable(name, value)
        if self.command:
            container = container.without_entrypoint().with_default_args(list(self.command))
        return container

    def _run(self, container: dagger.Container, image: str, lists: dagger.Directory) -> dagger.Container:
        container = with_apt(with_own_files(container), image, lists)
        for path, text in self.files.items():
            container = container.with_mounted_file(path, dag.file(Path(path).name, text))
        container = container.with_exec(list(self.argv(image)))
        for path in (LISTS, CACHE, OWN_FILES, *self.files):
            container = container.without_mount(path)
        return container


def shell(*scripts: str) -> str:
    """Return scripts of this folder as one, in the order given."""
    return "\n".join((_SCRIPTS / f"{name}.sh").read_text() for name in scripts)


def package_lists(container: dagger.Container, image: str) -> dagger.Directory:
    """Return the package lists of a container's sources; all steps that mount them see one state of the archive.

    Args:
        container: whose sources count.
        image: its name.
    """
    return container.with_exec(["sh", "-euc", shell("apt"), f"{image}: package lists"]).directory(LISTS)


def with_apt(container: dagger.Container, image: str, lists: dagger.Directory) -> dagger.Container:
    """Mount what apt.sh works on: package lists, and a volume for packages.

    Each image has a volume of its own, so that siblings do not wait.

    Args:
        container: where apt runs.
        image: its name.
        lists: as `package_lists` returns.
    """
    volume = dag.cache_volume(f"ska-apt-{image}")
    cached = container.with_mounted_cache(CACHE, volume, sharing=dagger.CacheSharingMode.LOCKED)
    return cached.with_mounted_directory(LISTS, lists)


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
        tuple(locked_version(tool) for tool in ("poetry", "poetry-plugin-export", "uv")),
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
