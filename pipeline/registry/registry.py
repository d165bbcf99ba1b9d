"""A registry that is open: its repositories, each with its connections."""

import contextlib
import socket
import ssl
from collections.abc import AsyncIterator

import anyio
import anyio.to_thread

from pipeline.registry.access import Access
from pipeline.registry.address import Address
from pipeline.registry.client import open_connections
from pipeline.registry.repository import Repository


class Registry:
    """A registry that is open; `open_registry` makes it."""

    def __init__(self, address: Address, access: Access, *, plain_http: bool) -> None:
        self.address, self.access, self.plain_http = address, access, plain_http
        self._http = open_connections(address, access)
        self._repositories: dict[str, Repository] = {}

    def repository(self, name: str) -> Repository:
        """Return the repository of an image."""
        if name not in self._repositories:
            repository = Repository(self._http, self.address, name, self.access, plain_http=self.plain_http)
            self._repositories[name] = repository
        return self._repositories[name]

    async def aclose(self) -> None:
        """Close all connections, also in a run that is cancelled."""
        with anyio.CancelScope(shield=True):
            await self._http.aclose()


@contextlib.asynccontextmanager
async def open_registry(address: Address, access: Access) -> AsyncIterator[Registry]:
    """Open a registry for the time of a block.

    Raises:
        RegistryError: in the block, by what is asked of it.
    """
    plain_http = access.allows_plain_http(address)
    if plain_http and address.is_loopback:
        # Docker and Dagger need no word for plain HTTP on this machine; a registry with TLS there is still one.
        plain_http = not await anyio.to_thread.run_sync(_speaks_tls, address, access.patience.connect)
    registry = Registry(address, access, plain_http=plain_http)
    try:
        yield registry
    finally:
        await registry.aclose()


def _speaks_tls(address: Address, timeout: float) -> bool:
    """Tell whether a host answers a TLS handshake; nothing is sent, so nobody has to be trusted."""
    host, _, port = address.host.partition(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((host, int(port or 443)), timeout) as plain, context.wrap_socket(plain):
            return True
    except OSError:
        return False
