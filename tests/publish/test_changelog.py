"""What a changelog must say before a release."""

from pathlib import Path

import pytest

from pipeline.errors import ReleaseError
from pipeline.release.changelog import require_section

GOOD = "# Changelog\n\n## [1.2.3] - 2026-01-31\n\n### Added\n\n- A thing.\n\n## [1.2.2] - 2026-01-01\n\n- Another.\n"


def require(path: Path, text: str, version: str = "1.2.3") -> None:
    path.write_text(text)
    require_section(version, "2026-02-01", path)


@pytest.mark.parametrize("version", ["1.2.3", "1.2.2"])
def test_a_section_with_its_day_and_a_change_is_enough(tmp_path: Path, version: str) -> None:
    require(tmp_path / "CHANGELOG.md", GOOD, version)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("# Changelog\n", r"has no section about 1\.2\.3; add `## \[1\.2\.3\] - 2026-02-01`"),
        (GOOD.replace("1.2.3", "1.2.30"), r"has no section about 1\.2\.3"),
        (GOOD.replace("2026-01-31", "unreleased"), r"has 'unreleased' instead of the day of the release; write"),
        (GOOD.replace(" - 2026-01-31", ""), r"has '' instead of the day of the release"),
        (GOOD.replace("- A thing.\n", ""), r"The section about 1\.2\.3 in CHANGELOG\.md lists no change"),
    ],
)
def test_what_is_missing_is_said_with_the_remedy(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ReleaseError, match=sentence):
        require(tmp_path / "CHANGELOG.md", text)


def test_a_changelog_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"CHANGELOG\.md cannot be read \(No such file or directory\)"):
        require_section("1.2.3", "2026-02-01", tmp_path / "CHANGELOG.md")


def test_dagger_gets_the_changelog() -> None:
    # The module reads it where it runs, and dagger.json says what is left out.
    dagger = Path(__file__).parents[2] / "dagger.json"
    assert "CHANGELOG" not in dagger.read_text()
