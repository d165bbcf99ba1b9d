"""Directory trees and tars for the tests of layers, and what can be said of them."""

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

#: cap_net_raw=ep, as setcap writes it: linux/capability.h, vfs_cap_data.
CAPABILITY = bytes.fromhex("0100000200200000000000000000000000000000")


def facts(root: Path, *, epoch: int | None = None) -> dict[bytes, Any]:
    """Return all that a tar can hold of a tree, by path below the root; that is all but sockets.

    Args:
        root: the tree; its own directory is at ".".
        epoch: later times count as this one, in seconds since 1970.
    """
    found: dict[bytes, Any] = {}
    links: dict[tuple[int, int], list[bytes]] = {}
    base = os.fsencode(root)
    for directory, names, files in os.walk(base):
        for name in names + files:
            path = directory + b"/" + name
            key = path[len(base) + 1 :]
            status = os.lstat(path)
            if stat.S_ISSOCK(status.st_mode):
                continue
            found[key] = _facts(path, status, epoch)
            if not stat.S_ISDIR(status.st_mode):
                links.setdefault((status.st_dev, status.st_ino), []).append(key)
    groups = {tuple(sorted(group)) for group in links.values() if len(group) > 1}
    return {**found, b".": _facts(base, os.lstat(base), epoch), b"//links": groups}


def differences(expected: dict[bytes, Any], found: dict[bytes, Any]) -> list[tuple[bytes, Any, Any]]:
    """Return what two trees' facts differ in: path and both facts, or the names of files that are linked otherwise."""
    links, found_links = expected[b"//links"], found[b"//links"]
    paths = sorted((expected.keys() | found.keys()) - {b"//links"})
    return [
        *((path, expected.get(path), found.get(path)) for path in paths if expected.get(path) != found.get(path)),
        *((group[0], group, None) for group in sorted(links - found_links)),
        *((group[0], None, group) for group in sorted(found_links - links)),
    ]


def _facts(path: bytes, status: os.stat_result, epoch: int | None) -> tuple[Any, ...]:
    content: object = None
    if stat.S_ISREG(status.st_mode):
        content = hashlib.sha256(Path(os.fsdecode(path)).read_bytes()).hexdigest()
    elif stat.S_ISLNK(status.st_mode):
        content = str(Path(os.fsdecode(path)).readlink())
    xattrs = {
        key: os.getxattr(path, key, follow_symlinks=False)
        for key in os.listxattr(path, follow_symlinks=False)
        if not key.startswith(("security.selinux", "trusted.overlay.", "user.overlay."))
    }
    seconds = status.st_mtime_ns // 10**9
    time = seconds if epoch is None else min(seconds, epoch)
    return status.st_mode, status.st_uid, status.st_gid, time, status.st_rdev, content, xattrs


def make_tree(root: Path, *, backwards: bool = False) -> None:
    """Make a tree with one of each kind of file, in order or from behind."""
    makers: list[Callable[[], object]] = [
        lambda: (root / "dir").mkdir(exist_ok=True),
        lambda: (root / "empty").touch(),
        lambda: _file(root / "dir" / "script", b"#!/bin/sh\n", 0o4755, owner=(0, 8)),
        lambda: _file(root / "ping", b"\x7fELF" * 1000, 0o755),
        lambda: _file(root / os.fsdecode(b"latin1-\xe9"), b"e", 0o600, owner=(3000000, 4000000)),
        lambda: _file(root / "größe", b"u", 0o644),
        lambda: _file(root / ("long-" * 30), b"l", 0o644),
        lambda: (root / "absolute").symlink_to("/etc/passwd"),
        lambda: (root / "dangling").symlink_to("n" * 150),
        lambda: os.mkfifo(root / "fifo", 0o640),
        lambda: (root / "sticky").mkdir(),
        lambda: _file(root / "big", bytes(range(256)) * 10_000, 0o444),
    ]
    (root / "dir").mkdir(parents=True)
    for make in reversed(makers) if backwards else makers:
        make()
    (root / "sticky").chmod(0o1777)
    os.link(root / "big", root / "dir" / "big-again")
    os.link(root / "absolute", root / "absolute-again", follow_symlinks=False)
    os.setxattr(root / "ping", "security.capability", CAPABILITY)
    os.setxattr(root / "dir", "trusted.note", b"a\0b\nc\xff=")
    for path in [*root.rglob("*"), root]:
        os.utime(path, (1_600_000_000, 1_600_000_000.5), follow_symlinks=False)


def _file(path: Path, content: bytes, mode: int, owner: tuple[int, int] = (0, 0)) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    os.chown(path, *owner)
    path.chmod(mode)


def entry(name: str, kind: bytes = tarfile.REGTYPE, **attributes: Any) -> tarfile.TarInfo:
    """Return a tar entry without content."""
    made = tarfile.TarInfo(name)
    made.type = kind
    for attribute, value in attributes.items():
        setattr(made, attribute, value)
    return made


def tar(entries: Iterable[tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]]) -> io.BytesIO:
    """Return a plain tar, ready to read."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for each in entries:
            made, content = each if isinstance(each, tuple) else (each, b"")
            made.size = len(content) or made.size
            archive.addfile(made, io.BytesIO(content))
    out.seek(0)
    return out
