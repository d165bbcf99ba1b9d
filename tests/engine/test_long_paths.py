"""Paths as long as a container may have them, below a store whose own name stands before them."""

import os
import tarfile
from pathlib import Path

import pytest
from embedded_engine.host.errors import BadInput
from embedded_engine.host.rootpath import short
from embedded_engine.oci.layer import write_layer
from embedded_engine.oci.unpack import apply_layer
from embedded_engine.store.survey import survey

#: PATH_MAX without its final zero, a descriptor's name and "upper/".
LONGEST = 4095 - len("/proc/self/fd/1234/upper/")


@pytest.fixture
def upper(tmp_path: Path) -> Path:
    """Return an empty upper directory, below a long path."""
    made = tmp_path / ("store" * 40) / "upper"
    made.mkdir(parents=True)
    return made


def make_file(root: Path, length: int) -> str:
    """Make a file whose path below the root has so many bytes, and return that path."""
    names = ["d" * 200] * ((length - 1) // 201)
    path = "/".join([*names, "f" * (length - 201 * len(names))])
    descriptor = os.open(root, os.O_PATH)
    for name in names:
        os.mkdir(name, dir_fd=descriptor)
        below = os.open(name, os.O_PATH, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(os.open(path.rpartition("/")[2], os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))
    os.close(descriptor)
    return path


def test_the_longest_path_of_a_container_is_packed_and_unpacked(upper: Path) -> None:
    path = make_file(upper, LONGEST)
    write_layer(upper, upper.parent / "layer", epoch=0)
    with tarfile.open(upper.parent / "layer") as archive:
        assert archive.getnames()[-1] == path
    root = upper.parent / "root"
    root.mkdir()
    with (upper.parent / "layer").open("rb") as blob:
        apply_layer(blob, root)
    with short(root) as name:
        assert (name / path).is_file()


@pytest.mark.parametrize("length", [4096, 9000])
def test_a_longer_one_is_refused_in_one_sentence(upper: Path, length: int) -> None:
    make_file(upper, length)
    for use in (survey, lambda root: write_layer(root, root.parent / "layer", epoch=0)):
        with pytest.raises(BadInput, match=r"^A path of \d+ bytes is too long for programs to open, '/ddd[d/]+…'; "):
            use(upper)
