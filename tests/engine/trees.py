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


def facts(root: Path) -> dict[bytes, Any]:
    """Return all that a tar can hold of a tree, by path below the root."""
    found: dict[bytes, Any] = {}
    links: dict[int, list[bytes]] = {}
    base = os.fsencode(root)
    for directory, names, files in os.walk(base):
        for name in names + files:
            path = directory + b"/" + name
            key = path[len(base) + 1 :]
            status = os.lstat(path)
            found[key] = _facts(path, status)
            if not stat.S_ISDIR(status.st_mode):
                links.setdefault(status.st_ino, []).append(key)
    groups = {tuple(sorted(group)) for group in links.values() if len(group) > 1}
    return {**found, b"//links": groups}


def _facts(path: bytes, status: os.stat_result) -> tuple[Any, ...]:
    content: object = None
    if stat.S_ISREG(status.st_mode):
        content = hashlib.sha256(Path(os.fsdecode(path)).read_bytes()).hexdigest()
    elif stat.S_ISLNK(status.st_mode):
        content = Path(os.fsdecode(path)).readlink()
    xattrs = {
        key: os.getxattr(path, key, follow_symlinks=False)
        for key in os.listxattr(path, follow_symlinks=False)
        if not key.startswith(("security.selinux", "trusted.overlay.", "user.overlay."))
    }
    return status.st_mode, status.st_uid, status.st_gid, int(status.st_mtime), status.st_rdev, content, xattrs


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
