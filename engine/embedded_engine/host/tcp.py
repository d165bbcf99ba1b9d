"""The owner of a connection over the loopback interface, as the kernel knows it.

The kernel answers for one connection (sock_diag(7)). Where it lacks that, as a gVisor sandbox does, its list of all
connections is read, which takes 5 ms for each 1,000 of them (proc_pid_net(5), /proc/net/tcp).
"""

import errno
import os
import re
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

_LISTS = (Path("/proc/self/net/tcp"), Path("/proc/self/net/tcp6"))
_NETLINK_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST = 4, 20, 1
_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_ASKED = struct.Struct("=BBBxI")  # struct inet_diag_req_v2, up to its struct inet_diag_sockid
_PORTS = struct.Struct("!HH")
_INTERFACE_AND_COOKIE = struct.Struct("=III")
_ANY_STATE = _NO_COOKIE = 0xFFFFFFFF
_STATE = struct.Struct("=xB")  # of struct inet_diag_msg, whose idiag_uid and idiag_inode follow at _OWNER
_OWNER, _UID_AND_INODE = 64, struct.Struct("=II")
_ESTABLISHED = 1
_LOOPBACK = socket.inet_aton("127.0.0.1").ljust(16, b"\0")


@dataclass(frozen=True)
class TcpEnd:
    """One end of a connection.

    Args:
        uid: its owner.
        inode: of its socket.
    """

    uid: int
    inode: int


def connection(port: int, to: int) -> TcpEnd | None:
    """Return the client's end of an established connection over 127.0.0.1; None if it is closed.

    Args:
        port: the client's port.
        to: the server's port.
    """
    try:
        return _asked(port, to)
    except OSError:
        return listed(port, to)


def _asked(port: int, to: int) -> TcpEnd | None:
    question = _ASKED.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, _ANY_STATE) + _PORTS.pack(port, to)
    question += _LOOPBACK + _LOOPBACK + _INTERFACE_AND_COOKIE.pack(0, _NO_COOKIE, _NO_COOKIE)
    header = _HEADER.pack(_HEADER.size + len(question), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG) as kernel:
        kernel.send(header + question)
        answer = kernel.recv(1 << 13)
    kind, body = _HEADER.unpack_from(answer)[1], answer[_HEADER.size :]
    if kind != _SOCK_DIAG_BY_FAMILY:
        (error,) = struct.unpack_from("=i", body)
        if -error == errno.ENOENT:
            return None
        raise OSError(-error, os.strerror(-error))
    if _STATE.unpack_from(body) != (_ESTABLISHED,):
        return None
    return TcpEnd(*_UID_AND_INODE.unpack_from(body, _OWNER))


def listed(port: int, to: int) -> TcpEnd | None:
    """Return what `connection` does, from the list of all connections."""
    # An IPv6 socket can have IPv4 connections; its addresses end the same way.
    ends = re.compile(rf"^ *\d+: \w*0100007F:{port:04X} \w*0100007F:{to:04X} 01 .*$", re.MULTILINE)
    for path in _LISTS:
        if path.exists() and (line := ends.search(path.read_text())):
            words = line.group().split()
            return TcpEnd(int(words[7]), int(words[9]))
    return None
