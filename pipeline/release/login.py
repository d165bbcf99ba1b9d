"""Turns the user's login options into an Access."""

import contextlib
import ssl
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import certifi
import dagger
from dagger import dag
from pydantic import SecretStr

from pipeline.errors import SettingsError
from pipeline.registry.access import Access
from pipeline.registry.address import Reference, parse_address


@dataclass(frozen=True)
class Login:
    """How a user reaches a registry.

    Args:
        username: empty for anonymous access.
        password: the user's password.
        ca: certificates in PEM to trust besides the well-known ones.
        plain_http: hosts that may be reached without TLS.
        token_hosts: hosts of token services that may get the password.
    """

    username: str = ""
    password: dagger.Secret | None = None
    ca: dagger.File | None = None
    plain_http: Sequence[str] = field(default_factory=tuple)
    token_hosts: Sequence[str] = field(default_factory=tuple)

    def container(self, reference: Reference) -> dagger.Container:
        """Return an image of the registry as a container; the engine gets the login for it."""
        container = dag.container()
        if self.password is not None:
            container = container.with_registry_auth(reference.address.host, self.username, self.password)
        return container.from_(str(reference))

    @contextlib.asynccontextmanager
    async def access(self) -> AsyncIterator[Access]:
        """Provide the access for the duration of a block.

        Raises:
            SettingsError: the login is incomplete, or a certificate or a host is not valid.
        """
        if bool(self.username) != (self.password is not None):
            raise SettingsError("A login needs both --username NAME and --password env://VARIABLE; give both.")
        # Files often end with a line break that is not part of the password.
        password = SecretStr((await self.password.plaintext()).rstrip("\r\n")) if self.password else None
        plain_http, token_hosts = _hosts(self.plain_http), _hosts(self.token_hosts)
        with tempfile.TemporaryDirectory(prefix="ska-registry-") as directory:
            ca = await _bundle(self.ca, Path(directory)) if self.ca else None
            yield Access(self.username, password, ca, plain_http, token_hosts=token_hosts)


def _hosts(given: Sequence[str]) -> frozenset[str]:
    return frozenset(parse_address(host).host for host in given)


async def _bundle(ca: dagger.File, directory: Path) -> Path:
    """Write one file of the given certificates and the well-known ones."""
    given, bundle = directory / "given.pem", directory / "bundle.pem"
    await ca.export(str(given))
    try:
        ssl.create_default_context(cafile=given)
    except ssl.SSLError as error:
        raise SettingsError(
            "The file of --ca does not hold a certificate; give the CA's certificate in PEM."
        ) from error
    bundle.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + given.read_bytes())
    return bundle
