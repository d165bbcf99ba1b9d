"""Changes that layers have been got wrong for, here or by other programs, each a plan by itself."""

import stat

from tests.engine.changes import Change
from tests.engine.plans import ACL, Plan
from tests.engine.trees import CAPABILITY

SECOND = 10**9
CHARACTER, BLOCK = stat.S_IFCHR | 0o666, stat.S_IFBLK | 0o660
#: One of each kind that can take the place of another.
ONE_OF_EACH: list[Change] = [
    ("write", b"x", b"content"),
    ("mkdir", b"x", 0o755),
    ("symlink", b"x", b"a"),
    ("mkfifo", b"x", 0o600),
    ("mknod", b"x", CHARACTER, 1, 3),
    ("link", b"x", b"file"),
    ("socket", b"x"),
]
#: 255 bytes a name, as deep as a path may be.
DEEP = [b"/".join([b"d" * 250] * depth) for depth in range(1, 16)]

ROOT: Plan = [
    [("write", b"f", b"")],
    [("chmod", b".", 0o711), ("chown", b".", 1, 2), ("touch", b".", 7 * SECOND)],
    [("remove", b"f"), ("setxattr", b".", "user.a", b"1")],
]
TRAPS: dict[str, Plan] = {
    "a file and its link are one file": [[("write", b"b", b"1"), ("mkdir", b"a", 0o755), ("link", b"a/b", b"b")]],
    "a link to a file of a lower layer": [
        [("write", b"b", b"1"), ("mkdir", b"a", 0o755)],
        [("link", b"a/b", b"b")],
        [("link", b"c", b"a/b"), ("remove", b"b")],
    ],
    "a write breaks the link to a lower file": [
        [("write", b"a", b"1"), ("link", b"b", b"a"), ("link", b"c", b"a")],
        [("append", b"b", b"2")],
        [("link", b"d", b"c"), ("chmod", b"a", 0o600)],
    ],
    "a new file in the place of a lower link": [
        [("write", b"a", b"1"), ("link", b"b", b"a")],
        [("replace", "write", b"a", b"2"), ("replace", "link", b"b", b"a")],
    ],
    "links to what is no file": [
        [("symlink", b"s", b"a"), ("mkfifo", b"f", 0o644), ("mknod", b"n", BLOCK, 259, 7), ("socket", b"o")],
        [("link", b"s2", b"s"), ("link", b"f2", b"f"), ("link", b"n2", b"n"), ("link", b"o2", b"o")],
    ],
    "attributes": [
        [("write", b"f", b""), ("mkdir", b"d", 0o755), ("symlink", b"s", b"f"), ("write", b"g", b"")],
        [("setxattr", b"f", "security.capability", CAPABILITY), ("setxattr", b"d", "user.a", b"\0\xff\n=")],
        [
            ("setxattr", b"s", "trusted.a", b"link"),
            ("setxattr", b"g", "user.\xe9", b"1"),
            ("removexattr", b"d", "user.a"),
        ],
    ],
    "an attribute that only looks like overlayfs's": [
        [("mkdir", b"d", 0o755), ("write", b"d/kept", b"")],
        [("setxattr", b"d", "user.overlay.opaque", b"y"), ("setxattr", b"d", "trusted.overlay.opaque", b"y")],
        [("setxattr", b"d", "user.overlay.redirect", b"/x"), ("chmod", b"d", 0o700)],
    ],
    "a default access list is for what comes later": [
        [("mkdir", b"d", 0o755), ("write", b"d/before", b"")],
        [("setxattr", b"d", "system.posix_acl_default", ACL), ("write", b"d/after", b""), ("mkdir", b"d/sub", 0o777)],
        [("append", b"d/before", b"x"), ("setxattr", b"d/before", "system.posix_acl_access", ACL)],
        [("write", b"d/none", b""), ("removexattr", b"d/none", "system.posix_acl_access")],
    ],
    "a sparse file": [
        [
            ("resize", b"hole", 5 << 20),
            ("patch", b"end", b"x", (5 << 20) - 1),
            ("patch", b"middle", b"x" * 99, 3 << 20),
        ],
        [("patch", b"hole", b"y", 1 << 20), ("resize", b"middle", 4 << 20), ("resize", b"end", 5)],
    ],
    "long names": [
        [("write", b"a" * length, b"") for length in (99, 100, 101, 155, 254, 255)],
        [("symlink", b"s", b"t/" * 2000), ("link", b"l" * 255, b"a" * 255), ("remove", b"a" * 255)],
    ],
    "a deep tree": [
        [("mkdir", path, 0o755) for path in DEEP] + [("write", DEEP[-1] + b"/file", b"x")],
        [("remove", DEEP[10]), ("write", DEEP[9] + b"/file", b"x"), ("link", b"l", DEEP[9] + b"/file")],
    ],
    "names of any bytes": [
        [
            ("write", name, name)
            for name in (b"caf\xe9", "ü".encode(), b"\n", b" ", b"-v", b"\\", b"*", b"\x01\x7f\xff")
        ],
        [("remove", b"\n"), ("remove", b"caf\xe9"), ("link", b"\xfe", b"\\"), ("symlink", b"\xfd", b"caf\xe9\n")],
    ],
    "a directory that comes back is another one": [
        [("mkdir", b"d", 0o755), ("write", b"d/old", b""), ("mkdir", b"d/sub", 0o755), ("write", b"d/sub/old", b"")],
        [("replace", "mkdir", b"d", 0o700), ("write", b"d/new", b"")],
        [("write", b"d/old", b"again"), ("remove", b"d/new"), ("mkdir", b"d/sub", 0o755)],
    ],
    "everything goes": [
        [("mkdir", b"d", 0o755), ("write", b"d/f", b""), ("write", b"f", b""), ("link", b"g", b"f")],
        [("remove", b"f"), ("remove", b"g"), ("remove", b"d")],
        [("write", b"f", b"back")],
    ],
    "a directory moved into another one": [
        [("mkdir", b"a", 0o755), ("mkdir", b"b", 0o755), ("write", b"b/f", b"1")],
        [("mkdir", b"n", 0o755), ("write", b"n/f", b"2"), ("rename", b"a/n", b"n"), ("rename", b"a/f", b"b/f")],
    ],
    "empty directories, sticky and setgid": [
        [("mkdir", b"t", 0o755), ("chmod", b"t", 0o1777), ("mkdir", b"g", 0o755), ("chmod", b"g", 0o2775)],
        [("chown", b"g", 0, 50), ("mkdir", b"g/e", 0o755), ("write", b"g/f", b""), ("chmod", b"g/f", 0o6755)],
    ],
    "owners of any number": [
        [("write", b"f", b""), ("chown", b"f", 2**21, 2**31), ("mkdir", b"d", 0o755), ("chown", b"d", 65535, 65534)],
        [("symlink", b"s", b"f"), ("chown", b"s", 4_000_000_000, 1), ("chown", b"f", 0, 0)],
    ],
    "times of any century": [
        [("write", name, b"") for name in (b"a", b"b", b"c", b"d")] + [("mkdir", b"e", 0o755), ("symlink", b"s", b"a")],
        [("touch", b"a", -1), ("touch", b"b", -(2**31) * SECOND), ("touch", b"c", 2**33 * SECOND + 7)],
        [
            ("touch", b"d", 999_999_999),
            ("touch", b"e", 5 * SECOND),
            ("touch", b"s", 6 * SECOND),
            ("write", b"e/f", b""),
        ],
    ],
    "devices": [
        [
            ("mknod", b"null", CHARACTER, 1, 3),
            ("mknod", b"disk", BLOCK, 259, 1_048_575),
            ("mknod", b"zero", BLOCK, 0, 0),
        ],
        [("chmod", b"null", 0o600), ("remove", b"disk"), ("chown", b"zero", 1, 2)],
    ],
    "what is touched and left as it was": [
        [("mkdir", b"d", 0o750), ("write", b"d/f", b"1"), ("write", b"d/g", b"2"), ("symlink", b"s", b"d/f")],
        [
            ("chmod", b"d", 0o750),
            ("write", b"d/f", b"1"),
            ("replace", "write", b"d/g", b"2"),
            ("replace", "symlink", b"s", b"d/f"),
        ],
        [("write", b"d/f", b"3"), ("mkdir", b"d/new", 0o755), ("remove", b"d/new"), ("touch", b"d/g", SECOND)],
    ],
    "a link to a file that stays as it was": [
        [("write", b"f", b"1"), ("write", b"g", b"2"), ("link", b"h", b"g")],
        [("chmod", b"g", 0o644), ("link", b"k", b"f")],
        [("chmod", b"f", 0o644), ("append", b"h", b"")],
    ],
    "an emptied directory that is made anew": [
        [("mkdir", b"d", 0o755), ("mkdir", b"e", 0o755), ("write", b"e/f", b"")],
        [("replace", "mkdir", b"d", 0o755), ("remove", b"e/f")],
        [("replace", "mkdir", b"e", 0o755), ("write", b"e/f", b""), ("write", b"d/f", b"")],
    ],
    "a socket that comes and goes": [
        [("write", b"s", b""), ("socket", b"t")],
        [("replace", "socket", b"s"), ("remove", b"t")],
        [("replace", "mkdir", b"s", 0o755), ("write", b"s/f", b""), ("write", b"t", b"")],
    ],
    "links that lead out": [
        [("symlink", b"up", b"../../../x"), ("symlink", b"abs", b"/etc/passwd"), ("symlink", b"loop", b"loop")],
        [("mkdir", b"d", 0o755), ("symlink", b"d/up", b"../.."), ("replace", "write", b"up", b"")],
    ],
}
REPLACED: dict[str, Plan] = {
    f"a {first[0]}, then a {second[0]}, and back": [
        [("write", b"file", b""), first, ("write", b"x/below", b"1")],
        [("replace", *second), ("write", b"x/below", b"2")],
        [("replace", *first)],
    ]
    for first in ONE_OF_EACH
    for second in ONE_OF_EACH
    if first[0] < second[0]
}
CASES = TRAPS | REPLACED


def directory_of(case: str) -> bytes:
    """Return the directory that a case has in ALL."""
    return b"%02d" % list(CASES).index(case)


def _moved(directory: bytes, change: Change) -> Change:
    name, *arguments = change
    if name == "replace":
        return (name, *_moved(directory, tuple(arguments)))
    paths = 2 if name in ("link", "rename") else 1
    return (name, *(directory + b"/" + path for path in arguments[:paths]), *arguments[paths:])


#: All cases in one plan, each in a directory of its own.
ALL: Plan = [
    [
        change
        for case, plan in CASES.items()
        for change in [
            *([("mkdir", directory_of(case), 0o755)] if depth == 0 else []),
            *(_moved(directory_of(case), change) for change in (plan[depth] if depth < len(plan) else [])),
        ]
    ]
    for depth in range(max(map(len, CASES.values())))
]
