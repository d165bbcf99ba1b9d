"""How one user reaches registries: the login, the trusted certificates, where the password may go, and timeouts.

Where a login goes:

- The registry's own scheme, host and port get the username, the password and the tokens. Redirects and upload locations
  elsewhere are followed without them; a next page elsewhere is refused.
- A token service gets the password if the connection to it may carry passwords (TLS, or plain HTTP that the user
  allowed for that host) and it is on the registry's own host, is one of `TOKEN_SERVICES`, or was named by the user
  (`--token-host`).
- Without a password, the token service may be on any host, over TLS.
- Plain HTTP is used only with hosts for which the user allowed it, and between services of this machine.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from pydantic import SecretStr

from pipeline.registry.address import Address

#: The token services of public registries that run theirs on another host.
TOKEN_SERVICES = MappingProxyType({"registry-1.docker.io": "auth.docker.io", "registry.gitlab.com": "gitlab.com"})


@dataclass(frozen=True)
class Patience:
    """Timeouts, and the number of attempts after transient errors.

    Args:
        attempts: the number of attempts in all.
        first_wait: seconds before the second attempt; doubled for each further one.
        longest_wait: the longest wait in seconds, even if the registry asks for more.
        connect: seconds for opening a connection.
        answer: seconds of silence that count as an error.
        whole: seconds for one attempt, not counting the time for a blob.
        slowest: the lowest average transfer rate of a blob, in bytes per second.
    """

    attempts: int = 6
    first_wait: float = 0.5
    longest_wait: float = 60.0
    connect: float = 10.0
    answer: float = 120.0
    whole: float = 300.0
    slowest: int = 64 << 10

    def limit(self, size: int) -> float:
        """Return the timeout of one attempt in seconds.

        Args:
            size: the size of the transferred blob in bytes; 0 for requests without one.
        """
        return self.whole + size / self.slowest


@dataclass(frozen=True)
class Access:
    """How one user reaches registries.

    Args:
        username: empty for anonymous access.
        password: the user's password, which no message, log or traceback shows.
        ca: a file of certificates to trust instead of the system's.
        plain_http: hosts for which the user allows connections without TLS.
        patience: timeouts and attempts.
        token_hosts: hosts of token services that may get the password.
    """

    username: str = ""
    password: SecretStr | None = field(default=None, repr=False)
    ca: Path | None = None
    plain_http: frozenset[str] = frozenset()
    patience: Patience = field(default_factory=Patience)
    token_hosts: frozenset[str] = frozenset()

    def without_login(self) -> "Access":
        """Return the same access without the user, for hosts that the login is not for."""
        return replace(self, username="", password=None)

    def allows_plain_http(self, address: Address, registry: Address | None = None) -> bool:
        """Return whether plain HTTP is allowed; connections that stay on this machine need no consent.

        Args:
            address: the host to connect to.
            registry: the registry that leads there; a remote one may not lead to services of this machine.
        """
        is_here = address.is_loopback and (registry is None or registry.is_loopback)
        return address.host in self.plain_http or (is_here and self.ca is None)

    def allows_login_at(self, registry: Address, service: Address) -> bool:
        """Return whether a token service may get the password for a registry.

        Args:
            registry: the registry that names the service.
            service: the service's host, with its port if it has one.
        """
        is_named = service.host in self.token_hosts or service.host == TOKEN_SERVICES.get(registry.host)
        return is_named or service.name == registry.name
