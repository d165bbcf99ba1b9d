"""Writes headers of tar entries, byte for byte the same on every Python version.

tarfile.TarInfo writes binary extended attributes only with a change of character set, which few readers know, and a
header takes longer than reading a small file.
"""

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field

BLOCK = 512
END = bytes(2 * BLOCK)
REGULAR, HARD_LINK, SYMLINK = b"0", b"1", b"2"
CHARACTER, BLOCK_DEVICE, DIRECTORY, FIFO = b"3", b"4", b"5", b"6"

_KINDS = {
    stat.S_IFREG: REGULAR,
    stat.S_IFLNK: SYMLINK,
    stat.S_IFCHR: CHARACTER,
    stat.S_IFBLK: BLOCK_DEVICE,
    stat.S_IFDIR: DIRECTORY,
    stat.S_IFIFO: FIFO,
}
_XATTR = b"SCHILY.xattr."
#: The sizes in bytes of ustar's fields for a name and its prefix: POSIX.1-2001, pax, "ustar Interchange Format".
_NAME, _PREFIX = 100, 155


def kind_of(mode: int) -> bytes | None:
    """Return the tar type flag for a file's st_mode; None for sockets, which tar does not support."""
    return _KINDS.get(stat.S_IFMT(mode))


@dataclass(frozen=True)
class HeaderFields:
    """The fields of a tar entry's header.

    Args:
        name: the path in the archive; a directory ends with a slash.
        kind: the type flag.
        mode: the permission bits with setuid, setgid and sticky.
        uid: the numeric owner.
        gid: the numeric group.
        mtime: the time in whole seconds since 1970.
        size: the bytes of content after the header.
        target: the target of a hard or symbolic link.
        device: the major and minor number.
        xattrs: the extended attributes.
    """

    name: bytes
    kind: bytes
    mode: int
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    size: int = 0
    target: bytes = b""
    device: tuple[int, int] = (0, 0)
    xattrs: Mapping[bytes, bytes] = field(default_factory=dict)

    def header(self) -> bytes:
        """Return the header blocks in POSIX.1-2001's pax format, with xattrs in the form of star and GNU tar."""
        records: dict[bytes, bytes] = {}
        prefix, name = _split(self.name)
        ustar = _ustar(
            _text(records, b"path", name),
            self.kind,
            self.mode,
            _number(records, b"uid", self.uid, 7),
            _number(records, b"gid", self.gid, 7),
            _number(records, b"size", self.size, 11),
            _number(records, b"mtime", self.mtime, 11),
            _text(records, b"linkpath", self.target),
            self.device,
            prefix,
        )
        records |= {_XATTR + _escaped(key): value for key, value in self.xattrs.items()}
        if not records:
            return ustar
        body = b"".join(_record(key, value) for key, value in sorted(records.items()))
        extended = _ustar(b"././@PaxHeader", b"x", 0o644, 0, 0, len(body), 0, b"", (0, 0))
        return extended + body + bytes(padding(len(body))) + ustar


def padding(size: int) -> int:
    """Return the number of zero bytes that pad content of this size to whole blocks."""
    return -size % BLOCK


def _ustar(
    name: bytes,
    kind: bytes,
    mode: int,
    uid: int,
    gid: int,
    size: int,
    mtime: int,
    target: bytes,
    device: tuple[int, int],
    prefix: bytes = b"",
) -> bytes:
    front = b"%b%07o\0%07o\0%07o\0%011o\0%011o\0" % (name.ljust(100, b"\0"), mode, uid, gid, size, mtime)
    back = b"%b%bustar\x0000%b%07o\0%07o\0%b" % (kind, target.ljust(100, b"\0"), bytes(64), *device, prefix)
    back = back.ljust(BLOCK - len(front) - 8, b"\0")
    checksum = sum(front) + sum(back) + 8 * ord(" ")
    return b"%b%06o\0 %b" % (front, checksum, back)


def _split(name: bytes) -> tuple[bytes, bytes]:
    """Split a name into ustar's two fields, without the slash between them.

    The first part is empty and the second one is the whole name if the name is short enough, cannot be split, or has
    bytes that ustar does not allow.
    """
    if len(name) <= _NAME or not name.isascii():
        return b"", name
    slash = name.rfind(b"/", 0, min(_PREFIX + 1, len(name) - 1))
    if slash < 1 or len(name) - slash - 1 > _NAME:
        return b"", name
    return name[:slash], name[slash + 1 :]


def _text(records: dict[bytes, bytes], key: bytes, value: bytes) -> bytes:
    if len(value) > _NAME or not value.isascii():
        records[key] = value
    return value[:_NAME]


def _number(records: dict[bytes, bytes], key: bytes, value: int, digits: int) -> int:
    if 0 <= value < 8**digits:
        return value
    records[key] = b"%d" % value
    return 0


def _record(key: bytes, value: bytes) -> bytes:
    """Return "LENGTH KEY=VALUE\\n", where the length counts itself."""
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    if len(str(length)) > len(str(rest)):
        length += 1
    return b"%d %b=%b\n" % (length, key, value)


def _escaped(key: bytes) -> bytes:
    """Return an attribute's name with "=", which would end the keyword, escaped as in GNU tar."""
    return key.replace(b"%", b"%25").replace(b"=", b"%3D")
