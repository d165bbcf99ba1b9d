"""The settings in pyproject.toml."""

import sys
from pathlib import Path
from typing import Any

from pipeline.errors import SettingsError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def project_table(path: Path, known: set[str]) -> dict[str, Any]:
    """Read [tool.ska-images]; without a version there, the project's own is used.

    Args:
        path: of pyproject.toml.
        known: the names of all settings.

    Raises:
        SettingsError: the file cannot be read, or holds an unknown setting.
    """
    try:
        document = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"The settings in {path} cannot be read ({error}); restore the file.") from error
    table: dict[str, Any] = document.get("tool", {}).get("ska-images", {})
    if unknown := sorted(table.keys() - known):
        raise SettingsError(f"[tool.ska-images] holds {unknown[0]!r}, which is not a setting; correct or remove it.")
    return {"version": document.get("project", {}).get("version", ""), **table}
