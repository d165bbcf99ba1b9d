"""An open registry and its repositories."""

import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from functools import partial

import anyio
import anyio.to_thread

from pipeline.registry.access import Access
from pipeline.registry.address import PATH, Address
from pipeline.registry.attempts import Attempts
from pipeline.registry.client import Client, open_connections
from pipeline.registry.faults import Endpoint
from pipeline.registry.pages import read_list
from pipeline.registry.repository import Repository


class Registry:
    """An open registry; `open_registry` creates it."""

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

    async def repositories(self) -> frozenset[str]:
        """Return the names of the repositories below the address, as `repository` takes them.

        Source: https://distribution.github.io/distribution/spec/api/#listing-repositories

        Raises:
            RegistryError: the registry refuses, or its list does not end.
        """
        endpoint = Endpoint(self.address.host, "_catalog", self.access.username)
        client = Client(self._http, self.address, "_catalog", self.access, plain_http=self.plain_http)
        list_all = partial(read_list, client, endpoint, "/v2/_catalog?n=1000", "repositories", PATH)
        below = self.address.repository("")
        found = await Attempts(endpoint, self.access.patience).several(list_all)
        return frozenset(path.removeprefix(below) for path in found if path.startswith(below))

    async def aclose(self) -> None:
        """Close all connections, even in a cancelled run."""
        with anyio.CancelScope(shield=True):
            await self._http.aclose()


@contextlib.asynccontextmanager
async def open_registry(address: Address, access: Access) -> AsyncIterator[Registry]:
    """Open a registry for the duration of a block.

    Raises:
        RegistryError: the environment's proxies or certificates cannot be used.
    """
    plain_http = access.allows_plain_http(address)
    if plain_http and address.is_loopback:
        # Like Docker and Dagger, try plain HTTP on this machine without being told, but only if TLS fails.
        plain_http = not await anyio.to_thread.run_sync(_speaks_tls, address, access.patience.connect)
    registry = Registry(address, access, plain_http=plain_http)
    try:
        yield registry
    finally:
        await registry.aclose()


def _speaks_tls(address: Address, timeout: float) -> bool:
    """Return whether a host answers a TLS handshake; nothing is sent, so any certificate will do."""
    host, _, port = address.host.partition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((host, int(port or 443)), timeout) as plain, context.wrap_socket(plain):
            return True
    except OSError:
        return False
