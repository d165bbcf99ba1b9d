"""What the tests of the night share."""

from pathlib import Path

import pytest

from tests.gitlab.tagged_project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a release."""
    return Project(tmp_path)
