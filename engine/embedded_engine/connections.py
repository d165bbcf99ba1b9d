"""Limits for connections to the engine, since anyone on this machine can open any number of them.

A connection that has not shown the session's token ends after a while, or when too many others follow. Connections of
other users are counted apart, so they cannot take places from the user's own.
"""

import asyncio
import hmac
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from embedded_engine.host.tcp import connection

#: Seconds for a connection to show the token.
TIME_LIMIT = 10.0
#: Connections without the token, of the engine's own user and of all others together; the SDK opens up to 100 at once.
MOST_OWN, MOST_OTHERS = 256, 64
#: Connections that are accepted at once, before any of them is served.
BACKLOG = 128


class Lobby:
    """The connections that have not shown the token yet.

    Args:
        expected: the value of the header Authorization with the token.
        own: the uid of the engine's user.
    """

    def __init__(self, expected: bytes, own: int) -> None:
        self._expected, self._own = expected, own
        self._waiting: dict[bool, dict[BoundedConnection, asyncio.TimerHandle]] = {True: {}, False: {}}

    def knows(self, authorization: bytes) -> bool:
        """Return whether a header has the token."""
        return hmac.compare_digest(authorization, self._expected)

    def enter(self, connection: "BoundedConnection") -> None:
        """Add a connection, and end the oldest if there are too many."""
        is_own = _uid_of(connection.transport) == self._own
        waiting = self._waiting[is_own]
        if len(waiting) >= (MOST_OWN if is_own else MOST_OTHERS):
            oldest = next(iter(waiting))
            self.leave(oldest)
            oldest.transport.abort()
        waiting[connection] = asyncio.get_running_loop().call_later(TIME_LIMIT, connection.transport.abort)

    def leave(self, connection: "BoundedConnection") -> None:
        """Remove a connection that has shown the token or ended."""
        for waiting in self._waiting.values():
            if timer := waiting.pop(connection, None):
                timer.cancel()


class BoundedConnection(H11Protocol):
    """A connection that waits in the lobby until it has shown the token."""

    def __init__(self, lobby: Lobby, **options: Any) -> None:
        super().__init__(**options)
        self._lobby = lobby

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Enter the lobby."""
        super().connection_made(transport)
        self._lobby.enter(self)

    def data_received(self, data: bytes) -> None:
        """Leave the lobby once the headers of a request show the token."""
        super().data_received(data)
        if self.headers and self._lobby.knows(dict(self.headers).get(b"authorization", b"")):
            self._lobby.leave(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the lobby."""
        self._lobby.leave(self)
        super().connection_lost(exc)


def connections_of(lobby: Lobby) -> Callable[..., BoundedConnection]:
    """Return the factory of a server's connections."""

    def make(**options: Any) -> BoundedConnection:
        return BoundedConnection(lobby, **options)

    return make


def _uid_of(transport: asyncio.Transport) -> int | None:
    """Return the uid of a loopback connection's other end; None if Linux does not know it."""
    theirs, ours = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
    end = connection(theirs[1], ours[1]) if theirs and ours else None  # it has ended already
    return end.uid if end else None
