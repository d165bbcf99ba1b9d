"""What CHANGELOG.md must say of a version before it is released: https://keepachangelog.com/en/1.1.0/."""

import re
from pathlib import Path

from pipeline.build.settings import PYPROJECT
from pipeline.errors import ReleaseError

CHANGELOG = PYPROJECT.with_name("CHANGELOG.md")


def require_section(version: str, day: str, path: Path = CHANGELOG) -> None:
    """Refuse a release that its changelog does not describe.

    Args:
        version: of the release.
        day: of the release, as in 2026-01-31; the sentence proposes it.
        path: of the changelog.

    Raises:
        ReleaseError: the section is missing, empty, or not dated.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ReleaseError(f"{path} cannot be read ({error.strerror}); restore it.") from error
    found = re.search(rf"^## \[{re.escape(version)}\](?P<rest>.*)\n(?P<body>(?:(?!## ).*\n?)*)", text, re.MULTILINE)
    heading = f"`## [{version}] - {day}`"
    if found is None:
        raise ReleaseError(f"{path.name} says nothing of {version}; describe it in a section {heading}, then release.")
    if not re.fullmatch(r" - \d{4}-\d{2}-\d{2}\s*", found["rest"]):
        raise ReleaseError(
            f"{path.name} heads the section of {version} with {found['rest'].strip(' -')!r} where its day should be; "
            f"write {heading}, then release."
        )
    if not re.search(r"^- ", found["body"], re.MULTILINE):
        raise ReleaseError(f"The section of {version} in {path.name} lists no change; write down what is new in it.")
