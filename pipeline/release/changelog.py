"""The section that CHANGELOG.md must have for a release: https://keepachangelog.com/en/1.1.0/."""

import re
from pathlib import Path

from pipeline.build.settings import PYPROJECT
from pipeline.errors import ReleaseError

CHANGELOG = PYPROJECT.with_name("CHANGELOG.md")


def require_section(version: str, day: str, path: Path = CHANGELOG) -> None:
    """Refuse a release that the changelog does not describe.

    Args:
        version: the release's version.
        day: the day of the release, as in 2026-01-31, which the error proposes.
        path: the changelog.

    Raises:
        ReleaseError: the section is missing, empty or undated.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ReleaseError(f"{path} cannot be read ({error.strerror}); restore it.") from error
    found = re.search(rf"^## \[{re.escape(version)}\](?P<rest>.*)\n(?P<body>(?:(?!## ).*\n?)*)", text, re.MULTILINE)
    heading = f"`## [{version}] - {day}`"
    if found is None:
        raise ReleaseError(f"{path.name} has no section about {version}; add {heading}, then release.")
    if not re.fullmatch(r" - \d{4}-\d{2}-\d{2}\s*", found["rest"]):
        raise ReleaseError(
            f"The heading of {version} in {path.name} has {found['rest'].strip(' -')!r} instead of the day of the "
            f"release; write {heading}, then release."
        )
    if not re.search(r"^- ", found["body"], re.MULTILINE):
        raise ReleaseError(f"The section about {version} in {path.name} lists no change; describe what is new.")
