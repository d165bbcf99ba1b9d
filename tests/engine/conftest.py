"""What the tests of unpacking share."""

from pathlib import Path

import pytest

#: A module of someone else's, whose tests run by themselves: test_foreign_module.py.
collect_ignore = ["foreign"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an empty root beside a file that nothing may touch."""
    made = tmp_path / "outside" / "root"
    made.mkdir(parents=True)
    (tmp_path / "outside" / "secret").write_text("untouched")
    (tmp_path / "outside" / "directory").mkdir()
    return made
