"""Finds the process that calls the engine, if steps share the host's network; a step is refused, even with the token.

The process that started the engine looks up who holds a connection: it lives outside the engine's process namespace,
sees all processes of the user, and knows which of them are inside that namespace. Unknown callers are refused.
Source: proc(5).
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from embedded_engine.host.tcp import connection

#: (inside, outside, count) of the ids that an engine's processes can have: /proc/PID/uid_map.
Ids = tuple[tuple[int, int, int], ...]
_PROC = Path("/proc")


@dataclass
class Callers:
    """Decides who may call an engine.

    Args:
        port: the engine's port.
        ids: the ids that its processes can have; empty for any.
    """

    port: int
    ids: Ids = ()
    _known: list[str] = field(default_factory=list)

    def may_call(self, port: int) -> bool:
        """Return whether the client at a port of 127.0.0.1 is a process outside the engine's namespaces."""
        found = connection(port, self.port)
        if found is None or not found.inode:
            return False
        if self.ids and not any(outside <= found.uid < outside + count for _, outside, count in self.ids):
            return True  # no process in the engine's namespaces can have this user
        return any(self._holds(process, found.inode) for process in self._processes())

    def _processes(self) -> Iterator[str]:
        yield from tuple(self._known)
        yield from (path.name for path in _PROC.iterdir() if path.name.isdigit())

    def _holds(self, process: str, inode: int) -> bool:
        """Return whether a process holds a socket, and is in the namespace of this process."""
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
        end: one end of a pair of sockets.
        callers: decides who may call.
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
        end: the other end of the pair of sockets, as a file descriptor.
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
