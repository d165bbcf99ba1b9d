"""Places for stores, and a base that needs no network."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import SCRATCH
from tests.engine.faults.machine import left_over, write_base


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory on a disk."""
    place = Path(tempfile.mkdtemp(prefix="ska-images-faults-", dir=SCRATCH))
    yield place
    shutil.rmtree(place)


@pytest.fixture
def small_store(place: Path) -> Iterator[Callable[[int], Path]]:
    """Make a store on a file system of so many megabytes."""
    where = place / "small"
    where.mkdir()

    def make(megabytes: int) -> Path:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(where)], check=True)
        return where

    yield make
    subprocess.run(["umount", "--lazy", str(where)], check=True)


@pytest.fixture
def store(place: Path) -> Iterator[Path]:
    """A store of its own, in which nothing unfinished is left at the end."""
    yield place / "store"
    assert left_over(place / "store") == []


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of a small base."""
    return write_base(tmp_path_factory.mktemp("base"))
