"""A store is never anything but a store: what else a directory may be, nothing in it is touched."""

import asyncio
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from embedded_engine.host.errors import UserError
from embedded_engine.host.namespace import id_maps
from embedded_engine.make import overlay
from embedded_engine.store.prepare import VERSION
from embedded_engine.store.prune import prune
from embedded_engine.store.store import Store

from tests.conftest import PROJECT, SCRATCH

#: A program that opens a store and prints where it is.
OPEN = """\
import sys
from pathlib import Path
from embedded_engine.store.store import Store
print(Store(Path(sys.argv[1])).root)
"""


def tree(root: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """What is in a directory, with modes, owners, times and contents."""
    found = {}
    for path in (root, *root.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (status.st_mode, status.st_uid, status.st_mtime_ns, content)
    return found


def _places(root: Path) -> None:
    for name in ("tmp/important", "trash/keep", "snapshots/mine"):
        (root / name).mkdir(parents=True)
        (root / name / "file").write_text("data")
    (root / "tmp").chmod(0o1777)


def _marked(root: Path, ids: str | None = None, version: str | None = None) -> None:
    _places(root)
    if ids is not None:
        (root / "ids").write_text(ids)
    if version is not None:
        (root / "version").write_text(version)


def _linked_mark(root: Path) -> None:
    _marked(root, ids=id_maps())
    (root.parent / "number").write_text(f"{VERSION}\n")
    (root / "version").symlink_to(root.parent / "number")


def _linked_place(root: Path) -> None:
    _marked(root, id_maps(), f"{VERSION}\n")
    shutil.move(root / "tmp", root.parent / "elsewhere")
    (root / "tmp").symlink_to(root.parent / "elsewhere")


def _of_another_user(root: Path) -> None:
    _marked(root, id_maps(), f"{VERSION}\n")
    os.chown(root, 12345, 12345)


def _place_of_another_user(root: Path) -> None:
    _marked(root, id_maps(), f"{VERSION}\n")
    os.chown(root / "trash", 12345, 12345)


NOT_A_STORE = "is neither empty nor a store, so it was left unchanged; choose another directory."
REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "it has a store's directories": (_places, NOT_A_STORE),
    "it has one file": (lambda root: (root / "file").write_text("x"), NOT_A_STORE),
    "its version is a project's": (lambda root: (root / "version").write_text("1.2.3\n"), NOT_A_STORE),
    "it has a version alone": (lambda root: (root / "version").write_text(f"{VERSION}\n"), NOT_A_STORE),
    "it has a version and other things": (lambda root: _marked(root, None, f"{VERSION}\n"), NOT_A_STORE),
    "its marks are empty": (lambda root: _marked(root, "", ""), NOT_A_STORE),
    "its ids are something else": (lambda root: _marked(root, "1\n2\n", f"{VERSION}\n"), NOT_A_STORE),
    "its version is a link": (_linked_mark, NOT_A_STORE),
    "another program made it": (lambda root: _marked(root, id_maps(), "77\n"), f"has layout 77, .* layout {VERSION};"),
    "it has other ids": (lambda root: _marked(root, "5 6 7\n5 6 7\n", f"{VERSION}\n"), "belongs to another user"),
    "it belongs to another user": (_of_another_user, "belongs to another user"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_directory_that_is_not_this_users_store_is_refused_and_left_as_it_is(tmp_path: Path, what: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    make, sentence = REFUSED[what]
    make(root)
    before = tree(tmp_path)
    with pytest.raises(UserError, match=sentence):
        Store(root)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (_linked_place, "'tmp' of the store .* is a link, and nothing outside of a store is ever changed; remove it"),
        (_place_of_another_user, "belongs to another user"),
    ],
)
def test_a_store_of_which_a_part_is_elsewhere_is_refused(
    tmp_path: Path, make: Callable[[Path], object], sentence: str
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    make(root)
    with pytest.raises(UserError, match=sentence):
        Store(root)
    assert {path.name for path in tmp_path.rglob("file")} == {"file"}
    assert len(list(tmp_path.rglob("file"))) == 3


@pytest.mark.parametrize("name", ["file", "file/below", "circle"])
def test_a_store_needs_a_directory(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("data")
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(UserError, match=r"choose another directory\.$"):
        Store(tmp_path / name)
    assert (tmp_path / "file").read_text() == "data"


@pytest.mark.parametrize("left", [[], ["lost+found/"], ["ids"], ["ids", "version"]])
def test_an_empty_directory_becomes_a_store_and_so_does_one_in_which_that_was_begun(
    tmp_path: Path, left: list[str]
) -> None:
    tmp_path.chmod(0o777)
    for name in left:
        (tmp_path / name).mkdir() if name.endswith("/") else (tmp_path / name).touch()
    assert Store(Store(tmp_path).root).root == tmp_path
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert (tmp_path / "version").read_text() == f"{VERSION}\n"


@pytest.mark.parametrize("name", ["ids", "version"])
def test_a_store_of_which_a_mark_was_cut_short_gets_it_again(tmp_path: Path, name: str) -> None:
    text = (Store(tmp_path).root / name).read_text()
    os.truncate(tmp_path / name, 0)
    Store(tmp_path)
    assert (tmp_path / name).read_text() == text


def test_a_link_to_a_store_is_that_store(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real")
    assert Store(tmp_path / "link").root == tmp_path / "real"


async def test_any_name_will_do_for_a_store(place: Path) -> None:
    store = Store(place / "a, b:c=d\\e")
    store.begin(print)
    async with overlay.writable(store, [], store.temporary()) as root:
        (root / "file").write_text("data")
    assert len(list(store.root.glob("tmp/*/*/diff/file"))) == 1
    await store.end()


async def test_many_processes_make_one_store_at_once(tmp_path: Path) -> None:
    async def one() -> tuple[int | None, bytes]:
        argv = [sys.executable, "-c", OPEN, str(tmp_path / "store")]
        process = await asyncio.create_subprocess_exec(*argv, cwd=PROJECT, stdout=subprocess.PIPE)
        return process.returncode, (await process.communicate())[0]

    found = await asyncio.gather(*(one() for _ in range(8)))
    assert {output for _, output in found} == {f"{tmp_path / 'store'}\n".encode()}


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory on a disk."""
    with tempfile.TemporaryDirectory(prefix="ska-images-prepare-", dir=SCRATCH) as made:
        yield Path(made)


@pytest.fixture
def bound(tmp_path: Path) -> Iterator[Callable[[Path], Path]]:
    """Bind a directory with a file somewhere, and return the file."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_text("data")
    places: list[Path] = []

    def bind(place: Path) -> Path:
        place.mkdir(parents=True)
        subprocess.run(["mount", "--bind", tmp_path / "outside", place], check=True)
        places.append(place)
        return tmp_path / "outside/file"

    yield bind
    for place in places:
        subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize("place", ["trash/one", "trash/one/two words", "caches/one"])
async def test_what_is_mounted_in_a_store_is_never_deleted(
    tmp_path: Path, bound: Callable[[Path], Path], place: str
) -> None:
    store = Store(tmp_path / "store")
    file = bound(store.root / place)
    await store.empty_trash()
    await prune(store)
    store.begin(lambda name: None)
    await store.end()
    assert file.read_text() == "data"


def test_a_part_of_a_store_that_is_mounted_is_refused(tmp_path: Path, bound: Callable[[Path], Path]) -> None:
    shutil.rmtree(Store(tmp_path / "store").root / "caches")
    bound(tmp_path / "store/caches")
    with pytest.raises(UserError, match=r"'caches' of the store .* is a mount point"):
        Store(tmp_path / "store")
