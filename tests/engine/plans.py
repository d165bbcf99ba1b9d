"""What hypothesis draws: layers, each a list of changes (changes.py), over few names so that they meet."""

import stat
import struct
from typing import Any

from hypothesis import strategies as st

from tests.engine.changes import Change
from tests.engine.trees import CAPABILITY

Plan = list[list[Change]]
Arguments = st.SearchStrategy[tuple[object, ...]]

ODD_NAMES = [
    b"caf\xe9",
    "größe".encode(),
    b"new\nline",
    b"tab\t\x7f\x01",
    b" ",
    b"-rf",
    b"..a",
    b".wh",
    b"*?[a]",
    b"back\\slash",
    b"a=b%3D",
    b'"quoted"',
    b"n" * 100,
    b"n" * 101,
    b"m" * 255,
]
ANY_NAME = st.binary(min_size=1, max_size=255).filter(
    lambda name: not (b"/" in name or b"\0" in name or name in (b".", b"..") or name.startswith(b".wh."))
)
NAMES = st.one_of(st.sampled_from([b"a", b"b", b"c"]), st.sampled_from(ODD_NAMES), ANY_NAME)
TARGETS = st.sampled_from(
    [b"a", b"b/c", b"/a", b"/etc/passwd", b"..", b"../../../x", b"t" * 101, b"t/" * 2000, b"caf\xe9"]
)
MODES = st.one_of(st.sampled_from([0o644, 0o755, 0o4755, 0o2755, 0o1777, 0o600, 0]), st.integers(0, 0o7777))
OWNERS = st.sampled_from([0, 1, 100, 65534, 3_000_000, 4_000_000_000])
CONTENTS = st.one_of(st.binary(max_size=600), st.sampled_from([b"", b"x" * 512, b"\0" * 70_000 + b"x", b"y" * 100_000]))
SIZES = st.sampled_from([0, 1, 511, 4096, 65_537, (3 << 20) + 1])
#: Nanoseconds: before 1970, a fraction, around a clamp, beyond 2038 and beyond what a ustar header holds.
TIMES = st.one_of(
    st.sampled_from([-(2**31) * 10**9, -1, 0, 1, 1_700_000_000 * 10**9, 2**31 * 10**9, 2**33 * 10**9 + 5]),
    st.integers(-(2**31), 15_032_385_534).map(lambda seconds: seconds * 10**9 + 999_999_999),
)
#: User 7 may read: version 2 and its entries of tag, permissions and id, linux/posix_acl_xattr.h.
ACL = struct.pack("<I", 2) + b"".join(
    struct.pack("<HHI", tag, permissions, 7 if tag == 0x02 else 2**32 - 1)
    for tag, permissions in ((0x01, 6), (0x02, 4), (0x04, 4), (0x10, 4), (0x20, 4))
)
XATTRS = st.one_of(
    st.tuples(st.sampled_from(["trusted.a", "user.b", "user.c\xe9", "security.d"]), st.binary(max_size=300)),
    st.just(("security.capability", CAPABILITY)),
    st.sampled_from([("system.posix_acl_access", ACL), ("system.posix_acl_default", ACL)]),
    st.sampled_from([(f"{prefix}.overlay.opaque", b"y") for prefix in ("user", "trusted")]),
)
NODES = st.sampled_from(
    [
        (stat.S_IFCHR | 0o666, 1, 3),
        (stat.S_IFCHR | 0o600, 10, 300),
        (stat.S_IFBLK | 0o660, 259, 1_048_575),
        (stat.S_IFBLK | 0o640, 0, 0),
    ]
)

#: What makes something, what changes a file, and what changes anything; each with its arguments after the path.
NEW: dict[str, Arguments] = {
    "mkdir": st.tuples(MODES),
    "write": st.tuples(CONTENTS),
    "symlink": st.tuples(TARGETS),
    "mkfifo": st.tuples(MODES),
    "mknod": NODES,
    "socket": st.just(()),
}
ON_FILES: dict[str, Arguments] = {
    "append": st.tuples(CONTENTS),
    "patch": st.tuples(CONTENTS, SIZES),
    "resize": st.tuples(SIZES),
}
ON_ANYTHING: dict[str, Arguments] = {
    "chmod": st.tuples(MODES),
    "chown": st.tuples(OWNERS, OWNERS),
    "touch": st.tuples(TIMES),
    "setxattr": XATTRS,
    "removexattr": XATTRS.map(lambda drawn: drawn[:1]),
    "remove": st.just(()),
}
#: Some more often than others.
KINDS = (*NEW, "mkdir", "mkdir", "write", "link", "link", "rename", *ON_FILES, *ON_ANYTHING, "setxattr", "remove")


class _Tree:
    """What is there after the changes so far, if the kernel let all of them pass."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._names = draw(st.lists(NAMES, min_size=2, max_size=4, unique=True))
        self._kinds = {b".": "mkdir"}

    def change(self) -> Change:
        """Draw the next change."""
        kind = self._draw(st.sampled_from(KINDS))
        fit = self._fit(kind)
        if kind in NEW or not fit:
            kind = kind if kind in NEW else "write"
            return self._make(kind, *self._draw(NEW[kind]))
        path = self._draw(st.sampled_from(fit))
        if kind in ("link", "rename"):
            return self._make(kind, path)
        if kind == "remove":
            self._forget(path)
        return (kind, path, *self._draw((ON_FILES | ON_ANYTHING)[kind]))

    def _fit(self, kind: str) -> list[bytes]:
        """Return what a change can be made to, or start from."""
        unfit = {"link": {"mkdir"}, **dict.fromkeys(ON_FILES, NEW.keys() - {"write"})}.get(kind, set())
        there = [path for path, made in self._kinds.items() if made not in unfit]
        return there[kind in ("remove", "rename") :]

    def _make(self, kind: str, *arguments: Any) -> Change:
        parents = [path for path, kind in self._kinds.items() if kind == "mkdir" and path.count(b"/") < 3]
        parent, name = self._draw(st.sampled_from(parents)), self._draw(st.sampled_from(self._names))
        path = name if parent == b"." else parent + b"/" + name
        # Without `replace`, what is there is written or renamed over.
        replace = ("replace",) if path in self._kinds and self._draw(st.booleans()) else ()
        made = self._kinds[arguments[0]] if kind == "rename" else kind
        for gone in (path, *arguments[: kind == "rename"]):
            self._forget(gone)
        self._kinds[path] = made
        return (*replace, kind, path, *arguments)

    def _forget(self, path: bytes) -> None:
        below = b"" if path == b"." else path + b"/"
        gone = [each for each in self._kinds if each != b"." and (each + b"/").startswith(below)]
        for each in gone:
            del self._kinds[each]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw the changes of one to four layers."""
    tree = _Tree(draw)
    return [[tree.change() for _ in range(draw(st.integers(4, 16)))] for _ in range(draw(st.integers(1, 4)))]
