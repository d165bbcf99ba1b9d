"""The file that pins a project's dependencies by hash."""

from collections.abc import Collection
from dataclasses import dataclass

from pipeline.errors import AppError


@dataclass(frozen=True)
class LockKind:
    """A kind of lock.

    Args:
        file: its name, beside pyproject.toml.
        renew: the command that writes it.
    """

    file: str
    renew: str


LOCKS: tuple[LockKind, ...] = (
    LockKind("uv.lock", "uv lock"),
    LockKind("poetry.lock", "poetry lock"),
    # https://packaging.python.org/en/latest/specifications/pylock-toml/
    LockKind("pylock.toml", "uv pip compile pyproject.toml --format pylock.toml --output-file pylock.toml"),
    LockKind("requirements.txt", "uv pip compile pyproject.toml --generate-hashes --output-file requirements.txt"),
)


def find_lock(entries: Collection[str], wanted: str) -> LockKind:
    """Return the lock of a project.

    Args:
        entries: the names in the project's directory.
        wanted: the name of the lock to use; empty for the only one.

    Raises:
        AppError: there is none, or several and none is wanted.
    """
    names = ", ".join(kind.file for kind in LOCKS)
    present = [kind for kind in LOCKS if kind.file in entries and wanted in ("", kind.file)]
    if wanted and wanted not in names.split(", "):
        raise AppError(f"--lock takes one of {names}, not {wanted!r}.")
    if not present:
        lacking = wanted or "lock"
        remedy = next((kind.renew for kind in LOCKS if kind.file == wanted), LOCKS[0].renew)
        raise AppError(f"The project has no {lacking}; run `{remedy}`, and commit what it writes.")
    if len(present) > 1:
        raise AppError(
            f"The project has several locks, {' and '.join(kind.file for kind in present)}; choose one with --lock."
        )
    return present[0]
