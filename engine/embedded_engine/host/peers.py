"""Who calls the engine, where its steps share the host's network: never one of them, whatever token it shows.

The process that started the engine looks a connection up in /proc: it lives outside of the engine's process namespace,
sees all that the user runs, and tells those inside that namespace from those outside. What cannot be told is refused.
Sources: proc(5), Documentation/networking/proc_net_tcp.rst.
"""

import asyncio
import contextlib
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

#: (inside, outside, how many) of the ids that an engine's processes can have: /proc/PID/uid_map.
Ids = tuple[tuple[int, int, int], ...]
_PROC = Path("/proc")


@dataclass(frozen=True)
class TcpEnd:
    """One end of a TCP connection, as the kernel lists it: its owner and its socket's number."""

    uid: int
    inode: int


def connection(port: int, to: int) -> TcpEnd | None:
    """Return the client's end of a connection over 127.0.0.1; None where it has been given up.

    Args:
        port: the client's.
        to: the server's.
    """
    # A socket of IPv6 can speak IPv4 too; its addresses end the same way.
    ends = re.compile(rf"\s*\d+: \w*0100007F:{port:04X} \w*0100007F:{to:04X} 01 ")
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(FileNotFoundError):
            for line in (_PROC / "self/net" / name).read_text().splitlines():
                if ends.match(line):
                    words = line.split()
                    return TcpEnd(int(words[7]), int(words[9]))
    return None


@dataclass
class Callers:
    """Tells who may call an engine.

    Args:
        port: where it listens.
        ids: what its processes can have; empty for any.
    """

    port: int
    ids: Ids = ()
    _known: list[str] = field(default_factory=list)

    def may_call(self, port: int) -> bool:
        """Return whether the client at a port of 127.0.0.1 is a process outside of the engine's namespaces."""
        found = connection(port, self.port)
        if found is None or not found.inode:
            return False
        if self.ids and not any(outside <= found.uid < outside + count for _, outside, count in self.ids):
            return True  # no process of the engine's namespaces can have this user
        return any(self._holds(process, found.inode) for process in self._processes())

    def _processes(self) -> Iterator[str]:
        yield from tuple(self._known)
        yield from (path.name for path in _PROC.iterdir() if path.name.isdigit())

    def _holds(self, process: str, inode: int) -> bool:
        """Return whether a process holds a socket, and lives where this one does."""
        with contextlib.suppress(OSError):
            if (_PROC / process / "ns/pid").readlink() != (_PROC / "self/ns/pid").readlink():
                return False
            for path in (_PROC / process / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if str(path.readlink()) == f"socket:[{inode}]":
                        self._known = [process, *(one for one in self._known if one != process)][:8]
                        return True
        return False


async def answer(end: socket.socket, callers: Callers) -> None:
    """Answer an engine's questions until it ends.

    Args:
        end: of a pair of sockets.
        callers: tells.
    """
    reader, writer = await asyncio.open_connection(sock=end)
    with contextlib.suppress(OSError):
        while line := await reader.readline():
            allowed = await asyncio.to_thread(callers.may_call, int(line))
            writer.write(b"yes\n" if allowed else b"no\n")
            await writer.drain()
    writer.close()


class Questions:
    """The engine's side.

    Args:
        end: of a pair of sockets, as a file descriptor.
    """

    def __init__(self, end: int) -> None:
        self._socket = socket.socket(fileno=end)
        self._socket.set_inheritable(False)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._turn = asyncio.Lock()

    async def may_call(self, port: int) -> bool:
        """Return whether the client at a port of 127.0.0.1 may call."""
        async with self._turn:
            if self._streams is None:
                self._streams = await asyncio.open_connection(sock=self._socket)
            reader, writer = self._streams
            writer.write(f"{port}\n".encode())
            return await reader.readline() == b"yes\n"
