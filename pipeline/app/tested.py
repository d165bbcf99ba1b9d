"""The tests of an application, with its development dependencies, in the build image."""

from pipeline.app.environment import ENVIRONMENT, HOME, Source, Workshop, dependencies_of
from pipeline.app.step_failures import COMPILE_REASONS, INDEX_REASONS, Reason, explained
from pipeline.checks.check import NONROOT_USER

_TESTS = Reason(r"(?m)^TESTS FAILED \((\d+)\)$", "The application's tests fail with exit code {0}; correct it.")


async def require_tests(source: Source, workshop: Workshop, requirements: str, command: str) -> None:
    """Run the tests of an application as an ordinary user.

    Args:
        source: the application's source.
        workshop: where it is built.
        requirements: its pinned dependencies, for a lock that names no others for development.
        command: a shell command.

    Raises:
        AppError: the tests fail, or the development dependencies cannot be installed.
    """
    name, lock = source.project.name, source.lock.file
    container = workshop.container
    if lock not in ("uv.lock", "poetry.lock"):
        container = await dependencies_of(source, workshop, requirements)
    container = container.with_directory(HOME, source.directory).with_workdir(HOME)
    synced = workshop.run(container, "development", f"{name}: install development dependencies", lock)
    otherwise = f"The development dependencies of {name} cannot be installed; correct the lock."
    await explained(synced.sync, (*INDEX_REASONS, *COMPILE_REASONS), otherwise)
    # Without the logins, and as the user that the application runs as: tests are code of the project's dependencies.
    command = f'({command}) || {{ echo "TESTS FAILED ($?)" >&2; exit 1; }}'
    tested = (
        synced.with_env_variable("VIRTUAL_ENV", ENVIRONMENT)
        .with_env_variable("PATH", f"{ENVIRONMENT}/bin:${{PATH}}", expand=True)
        .with_exec(["chown", "-R", f"{NONROOT_USER}:", HOME])
        .with_user(NONROOT_USER)
        .with_exec(["sh", "-euc", command, f"{name}: test"])
    )
    await explained(tested.sync, (_TESTS,), f"The tests of {name} cannot be run; correct --test.")
