"""Whoever made a layer reaches nothing outside the root with it."""

import tarfile
from pathlib import Path

import pytest
from embedded_engine.host.errors import ArchiveInvalid
from embedded_engine.oci.unpack import apply_layer

from tests.engine.trees import entry, facts, tar

SYMLINK, HARD_LINK, DIRECTORY = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE


def around(root: Path) -> dict[bytes, object]:
    """Return all facts of what lies around the root."""
    return {path: fact for path, fact in facts(root.parent).items() if not path.startswith(b"root")}


REFUSED = {
    "above": ([entry("../etc/passwd")], "'../etc/passwd' leaves the root filesystem"),
    "above, from within": ([entry("a/../../x")], "'a/../../x' leaves the root filesystem"),
    "above, absolute": ([entry("/../etc/passwd")], "'/../etc/passwd' leaves the root filesystem"),
    "too long a path": ([entry("a/" * 500_000)], "has a path of more than 4095 bytes"),
    "too large an attribute": (
        [entry("x", pax_headers={"SCHILY.xattr.user.a": "x" * 70_000})],
        "'x' has the attribute 'user.a' of 70000 bytes, which no file can have here",
    ),
    "too long an attribute's name": (
        [entry("x", pax_headers={f"SCHILY.xattr.user.{'a' * 300}": ""})],
        f"has the attribute 'user.{'a' * 75}…' of 0 bytes, which no file can have here",
    ),
    "negative size": ([entry("x", pax_headers={"size": "-5"})], "'x' cannot be written"),
    "time without end": ([entry("x", pax_headers={"mtime": "1e999"})], "'x' cannot be written"),
    "hard link above, absolute": ([entry("x", HARD_LINK, linkname="/../y")], "'x' leaves the root filesystem"),
    "device without a number": ([entry("x", tarfile.BLKTYPE, devmajor=2**20)], "'x' cannot be written"),
    "unknown type": ([entry("x", b"Q")], "'x' is of the unknown type"),
    "link to nowhere": ([entry("x", SYMLINK)], "'x' is a symbolic link without a target"),
    "hard link above": ([entry("x", HARD_LINK, linkname="../secret")], "'x' leaves the root filesystem"),
    "hard link outside": ([entry("x", HARD_LINK, linkname="/etc/passwd")], "which is not a file of the archive"),
    "hard link to nothing": ([entry("x", HARD_LINK, linkname="y")], "which is not a file of the archive"),
    "hard link to a directory": ([entry("d", DIRECTORY), entry("x", HARD_LINK, linkname="d")], "which is not a file"),
    "below a file": ([entry("file"), entry("file/x")], "lies below 'file', which is not a directory"),
    "below a loop": ([entry("l", SYMLINK, linkname="l"), entry("l/x")], "more than 40 symbolic links"),
    "too long a name": ([entry("n" * 300)], "File name too long"),
    "file as root": ([entry(".")], "puts something else in the place of the root directory"),
    "hidden characters": ([entry("../a\nb")], r"'../a\\nb' leaves the root filesystem"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_root_filesystem_must_not_hold_is_refused_by_name(root: Path, case: str) -> None:
    before = around(root)
    entries, why = REFUSED[case]
    with pytest.raises(ArchiveInvalid) as refused:
        apply_layer(tar(entries), root)
    assert why.replace("\\\\", "\\") in str(refused.value)
    assert str(refused.value).startswith("The archive's entry '")
    assert str(refused.value).endswith(".")
    assert around(root) == before


ATTACKS: dict[str, list[tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]]] = {
    "a file through an absolute link": [entry("x", SYMLINK, linkname="OUTSIDE"), (entry("x/secret"), b"changed")],
    "a file by its absolute path": [(entry("OUTSIDE/secret"), b"changed")],
    "a hard link to an absolute path": [entry("y", HARD_LINK, linkname="OUTSIDE/secret"), (entry("y"), b"changed")],
    "a whiteout by its absolute path": [entry("OUTSIDE/.wh.secret")],
    "a file over a link to one": [entry("x", SYMLINK, linkname="OUTSIDE/secret"), (entry("x"), b"changed")],
    "a whiteout through a link": [entry("x", SYMLINK, linkname="OUTSIDE"), entry("x/.wh.secret")],
    "an opaque link": [entry("x", SYMLINK, linkname="OUTSIDE"), entry("x/.wh..wh..opq")],
    "a directory's mode through a link": [
        entry("x/directory", DIRECTORY, mode=0o777, mtime=1),
        entry("x", SYMLINK, linkname="OUTSIDE"),
    ],
    "a directory's mode, once it is a link": [
        entry("x", DIRECTORY, mode=0o777, uid=9, mtime=1),
        entry("x", SYMLINK, linkname="OUTSIDE/directory"),
    ],
    "a hard link through a link": [
        entry("x", SYMLINK, linkname="OUTSIDE"),
        entry("y", HARD_LINK, linkname="x/secret"),
        (entry("y"), b"changed"),
    ],
    "a hard link to a link": [
        entry("x", SYMLINK, linkname="OUTSIDE/secret"),
        entry("y", HARD_LINK, linkname="x", mode=0o777),
        (entry("y"), b"changed"),
    ],
    "a file through a link that replaced its directory": [
        entry("x/directory/a"),
        entry("x", SYMLINK, linkname="OUTSIDE"),
        (entry("x/directory/b"), b"new"),
    ],
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_outside_the_root_is_changed(root: Path, attack: str) -> None:
    for made in ATTACKS[attack]:
        one = made[0] if isinstance(made, tuple) else made
        one.name, one.linkname = (text.replace("OUTSIDE", str(root.parent)) for text in (one.name, one.linkname))
    before = around(root)
    try:
        apply_layer(tar(ATTACKS[attack]), root)
    except ArchiveInvalid:
        assert "hard link" in attack  # its target is inside the root, and there it does not exist
    assert around(root) == before
    assert (root.parent / "secret").stat().st_nlink == 1


def test_a_link_that_was_there_before_leads_nowhere_outside(root: Path) -> None:
    (root / "x").symlink_to("../../../../../../../..")
    apply_layer(tar([(entry("x/secret"), b"inside")]), root)
    assert (root / "secret").read_text() == "inside"
    assert (root.parent / "secret").read_text() == "untouched"


def test_absolute_links_are_normal(root: Path) -> None:
    apply_layer(tar([entry("x", SYMLINK, linkname="/etc/alternatives/x")]), root)
    assert (root / "x").readlink() == Path("/etc/alternatives/x")


@pytest.mark.parametrize("target", ["../../c", "../../../../outside"])
def test_links_may_go_up_since_in_a_container_they_end_at_its_root(root: Path, target: str) -> None:
    apply_layer(tar([entry("a/b/x", SYMLINK, linkname=target), (entry("a/b/x/secret"), b"inside")]), root)
    assert (root / "a/b/x").readlink() == Path(target)
    assert (root / Path(target).name / "secret").read_text() == "inside"
