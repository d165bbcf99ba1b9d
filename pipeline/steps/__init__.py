"""The steps that images are made of: each a shell script beside this file, run once."""

from pathlib import Path

import dagger
from dagger import dag

from pipeline.build.inputs import Step
from pipeline.errors import SettingsError

#: Holds package lists, packages and wheels while a step runs, so that none of them is in a layer.
CACHE = "/mnt"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: Where a step finds the image's own files, as they are before the step.
OWN_FILES = "/run/image"
_SCRIPTS = Path(__file__).parent
_LOCK = Path(__file__).parent.parent / "data" / "poetry.lock"


def shell(*scripts: str) -> str:
    """Return scripts of this folder as one, in the order of their names given."""
    return "\n".join((_SCRIPTS / f"{name}.sh").read_text() for name in scripts)


def with_apt_cache(container: dagger.Container, image: str) -> dagger.Container:
    """Mount the cache volume that apt.sh works on; one for each image, so that siblings do not wait."""
    volume = dag.cache_volume(f"ska-apt-{image}")
    return container.with_mounted_cache(CACHE, volume, sharing=dagger.CacheSharingMode.LOCKED)


def with_own_files(container: dagger.Container) -> dagger.Container:
    """Mount the image's own files, read-only: what an engine adds to a container for the time of an exec is not there.

    Dagger's installs its custom certificate authorities so:
    https://github.com/dagger/dagger/blob/v0.21.8/engine/engineutil/cacerts/distros.go
    """
    return container.with_mounted_directory(OWN_FILES, container.directory("/"), read_only=True)


def prepare_base(image: str) -> Step:
    """Make the step that brings a base up to date and hardens it."""

    def step(container: dagger.Container) -> dagger.Container:
        return (
            _run(container, image, ("apt", "harden", "base", "tidy"))
            # A base without PATH would leave Dockerfiles that extend it with theirs alone.
            .with_env_variable("PATH", PATH)
            .with_env_variable("LANG", "C.UTF-8")
            .without_entrypoint()
            .with_default_args(["bash"])
        )

    return step


def install_packages(image: str, *packages: str) -> Step:
    """Make the step that installs packages of the distribution.

    Args:
        image: whose step it is.
        packages: their names; what they only recommend is left out.
    """

    def step(container: dagger.Container) -> dagger.Container:
        return _run(container, image, ("apt", "packages", "tidy"), *packages)

    return step


def install_poetry(image: str, version: str) -> Step:
    """Make the step that installs the tools of ska-build, with Poetry from the lock beside this package.

    Args:
        image: whose step it is.
        version: of Poetry; it must be the lock's.

    Raises:
        SettingsError: the lock holds another version.
    """
    lock = _LOCK.read_text()
    if f"\npoetry=={version} " not in lock:
        raise SettingsError(
            f"The setting 'poetry' is {version!r}, which is not the version in {_LOCK.name}; "
            "renew that file as its first lines say, or correct the setting."
        )

    def step(container: dagger.Container) -> dagger.Container:
        locked = container.with_mounted_file("/run/poetry.lock", dag.file("poetry.lock", lock))
        installed = _run(locked, image, ("apt", "build", "tidy"), version)
        return installed.without_mount("/run/poetry.lock")

    return step


def _run(container: dagger.Container, image: str, scripts: tuple[str, ...], *arguments: str) -> dagger.Container:
    # The word after the script is $0, the name of the step in progress and errors.
    command = ["sh", "-euc", shell(*scripts), f"{image}: install", *arguments]
    prepared = with_apt_cache(with_own_files(container), image)
    return prepared.with_exec(command).without_mount(CACHE).without_mount(OWN_FILES)
