"""Clients of an engine beside the SDK's global one."""

import contextlib
from collections.abc import AsyncIterator

import dagger
from dagger.client._session import ConnectParams, SingleConnection
from embedded_engine.session import Session


@contextlib.asynccontextmanager
async def connected(session: Session) -> AsyncIterator[dagger.Client]:
    """Connect to a running engine for the time of a block."""
    params = ConnectParams(port=session.port, session_token=session.token)
    async with SingleConnection(params) as connection:
        yield dagger.Client.from_connection(connection)
