"""The virtual environment of an application, made in the build image: dependencies first, then the project."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import dagger
from dagger import dag

from pipeline.app.lockfile import LockKind, find_lock
from pipeline.app.python_project import FILE, PythonProject
from pipeline.app.step_failures import (
    COMPILE_REASONS,
    HASH_REASONS,
    INDEX_REASONS,
    PYTHON_REASONS,
    Reason,
    explained,
)
from pipeline.errors import AppError
from pipeline.steps.step import EPOCH

#: Where applications are, in the build image and in the runtime image alike.
HOME = "/src"
ENVIRONMENT = f"{HOME}/.venv"
_SCRIPTS = Path(__file__).parent / "scripts"
_REQUIREMENTS = "/run/requirements"
_WHEELS = "/run/wheels"
_NETRC = "/run/netrc"
#: Dates dependencies, so that the lock alone decides their layer: the first time that a ZIP archive can hold.
_FIRST_TIME = "315532800"
#: The largest pyproject.toml or lock that is read, in bytes.
_MAX_TEXT = 32 * 1024**2
#: What a project's directory holds beside its source.
NOT_SOURCE = (
    *("**/.git", "**/.venv", "**/.env", "**/.env.*", "**/.netrc", "**/.tox", "**/.nox", "**/node_modules"),
    *("**/__pycache__", "**/*.pyc", "**/*.egg-info", "**/.*_cache", "**/.hypothesis", "dist", "build"),
    # The archive of an earlier build would be in the next one.
    "*.tar",
)


@dataclass(frozen=True)
class Source:
    """The source of an application.

    Args:
        directory: the project's directory, without what is not source.
        project: what its pyproject.toml says.
        pyproject: the text of that file.
        lock: the kind of its lock.
        locked: the text of the lock.
    """

    directory: dagger.Directory
    project: PythonProject
    pyproject: str
    lock: LockKind
    locked: str

    @property
    def texts(self) -> Mapping[str, str]:
        """What decides about the dependencies, by the names of the files."""
        return {FILE: self.pyproject, self.lock.file: self.locked}


@dataclass(frozen=True)
class Workshop:
    """Where an application is built.

    Args:
        container: the build image, with the packages that only building needs.
        netrc: logins of package indexes, mounted while a step runs.
    """

    container: dagger.Container
    netrc: dagger.Secret | None

    def run(self, container: dagger.Container, script: str, step: str, *arguments: str) -> dagger.Container:
        """Run a script of this room in a container, with the logins of package indexes."""
        text = "\n".join((_SCRIPTS / f"{name}.sh").read_text() for name in ("index", script))
        if self.netrc is not None:
            container = container.with_mounted_secret(_NETRC, self.netrc).with_env_variable("NETRC", _NETRC)
        done = container.with_exec(["sh", "-euc", text, step, *arguments])
        return done.without_mount(_NETRC).without_env_variable("NETRC") if self.netrc is not None else done


async def requirements_of(source: Source, workshop: Workshop) -> str:
    """Return the pinned dependencies of an application, as `uv pip install` reads them.

    Raises:
        AppError: the lock does not match the project, or cannot be read.
    """
    name = source.project.name
    if source.lock.file not in ("uv.lock", "poetry.lock"):
        return source.locked
    container = workshop.container.with_workdir("/run/project")
    for file, text in source.texts.items():
        container = container.with_new_file(file, text)
    done = workshop.run(container, "export", f"{name}: read {source.lock.file}", source.lock.file, _REQUIREMENTS)
    reasons = (
        Reason(
            r"needs to be updated|changed significantly|is not up to date|--locked|not satisf",
            f"{source.lock.file} does not match {FILE}; run `{source.lock.renew}`, and commit what it writes.",
        ),
        *PYTHON_REASONS,
        *INDEX_REASONS,
    )
    otherwise = f"{source.lock.file} cannot be read; run `{source.lock.renew}`, and commit what it writes."
    return await explained(done.file(_REQUIREMENTS).contents, reasons, otherwise)


async def dependencies_of(source: Source, workshop: Workshop, requirements: str) -> dagger.Container:
    """Return the build image with an environment of an application's dependencies.

    Raises:
        AppError: a dependency cannot be installed.
    """
    name = source.project.name
    where = "/run/pylock.toml" if source.lock.file == "pylock.toml" else f"{_REQUIREMENTS}.txt"
    indexes = [word for label, url in source.project.indexes.items() for word in ("--index", f"{label}={url}")]
    # As text, so that nothing but the requirements decides this step.
    container = workshop.container.with_env_variable(EPOCH, _FIRST_TIME).with_mounted_file(
        where, dag.file(where.rpartition("/")[2], requirements)
    )
    done = workshop.run(
        container.with_workdir(HOME),
        "dependencies",
        f"{name}: install dependencies",
        *(ENVIRONMENT, source.lock.file, where, *indexes),
    ).without_mount(where)
    otherwise = (
        f"A dependency of {name} cannot be installed; if it has to be compiled, give the packages that it needs with "
        "--build-apt."
    )
    return await explained(done.sync, (*INDEX_REASONS, *HASH_REASONS, *PYTHON_REASONS, *COMPILE_REASONS), otherwise)


async def installed(source: Source, workshop: Workshop, dependencies: dagger.Container, epoch: str) -> dagger.Directory:
    """Return what an application's image has below HOME beside its dependencies.

    Args:
        source: the application's source.
        workshop: where it is built.
        dependencies: the build image with the environment of its dependencies.
        epoch: the time that dates what is written, in seconds since 1970.

    Raises:
        AppError: the project cannot be built.
    """
    name = source.project.name
    if not source.project.is_package:
        return await _as_source(source)
    container = dependencies.with_env_variable(EPOCH, epoch).with_workdir("/run/source")
    container = container.with_directory(".", source.directory)
    done = workshop.run(container, "project", f"{name}: install the project", ENVIRONMENT, name, _WHEELS)
    otherwise = f"{name} cannot be built as a package; its build backend says why."
    built = await explained(done.sync, (*INDEX_REASONS, *COMPILE_REASONS), otherwise)
    return dependencies.directory(HOME).diff(built.directory(HOME))


async def _as_source(source: Source) -> dagger.Directory:
    """Return the source as it is, without what .dockerignore names."""
    directory = source.directory
    if ".dockerignore" in await directory.entries():
        lines = (await directory.file(".dockerignore").contents()).splitlines()
        patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        directory = directory.filter(exclude=[*patterns, *NOT_SOURCE])
    if "src/" in await directory.entries():
        return directory.directory("src")
    return directory


async def read_source(directory: dagger.Directory, lock: str) -> Source:
    """Read the source of an application.

    Args:
        directory: the project's directory.
        lock: the name of the lock to use; empty for the only one.

    Raises:
        AppError: it has no pyproject.toml or no lock, or they are not valid.
    """
    filtered = directory.filter(exclude=list(NOT_SOURCE))
    entries = await filtered.entries()
    if FILE not in entries:
        raise AppError(f"The directory of --source has no {FILE}; give the directory of a Python project.")
    text = await _read(filtered.file(FILE))
    project, kind = PythonProject(text), find_lock(entries, lock)
    return Source(filtered, project, text, kind, await _read(filtered.file(kind.file)))


async def _read(file: dagger.File) -> str:
    name, size = await file.name(), await file.size()
    if size > _MAX_TEXT:
        raise AppError(f"{name} has {size} bytes; {_MAX_TEXT} at most are read.")
    return await file.contents()
