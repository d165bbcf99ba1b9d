"""Who asks a registry, whom to trust, where the password may go, and how patiently.

Where a login goes, in one place:

- The user, the password and the tokens go to the registry's own scheme, host and port. A redirect and an upload
  location that lead elsewhere are followed without them; a next page elsewhere is refused.
- A token service gets the password where the registry names it over a connection that may carry passwords (TLS, or
  plain HTTP that the user allowed for that host), and where it is on the registry's own host, or is one of
  `TOKEN_SERVICES`, or was named by the user (`--token-host`).
- Without a password a token service may be anywhere, over TLS.
- Plain HTTP is spoken only with hosts for which the user allowed it, and between services of this machine.
"""

from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from pydantic import SecretStr

from pipeline.registry.address import Address

#: Public registries whose token service has another name, by their hosts.
TOKEN_SERVICES = MappingProxyType({"registry-1.docker.io": "auth.docker.io", "registry.gitlab.com": "gitlab.com"})


@dataclass(frozen=True)
class Patience:
    """How long a registry may take, and how often it is asked again after a fault that passes.

    Args:
        attempts: how often it is asked in all.
        first_wait: seconds before the second attempt; doubled for each that follows.
        longest_wait: seconds that are waited at most, also where the registry asks for more.
        connect: seconds until a connection stands.
        answer: seconds of silence that are taken for a fault.
        whole: seconds that one attempt may take in all, beside the time for a blob.
        slowest: bytes a second that a blob has to travel at least, on average.
    """

    attempts: int = 6
    first_wait: float = 0.5
    longest_wait: float = 60.0
    connect: float = 10.0
    answer: float = 120.0
    whole: float = 300.0
    slowest: int = 64 << 10

    def limit(self, size: int) -> float:
        """Return the seconds that one attempt may take.

        Args:
            size: bytes of the blob that travels; 0 where none does.
        """
        return self.whole + size / self.slowest


@dataclass(frozen=True)
class Access:
    """How one user reaches registries.

    Args:
        username: empty for nobody.
        password: of the user; a text that no message, log or traceback shows.
        ca: a file of certificates that are trusted instead of the well-known ones.
        plain_http: hosts for which the user consents to a connection without TLS.
        patience: for all requests.
        token_hosts: hosts of token services that may get the password.
    """

    username: str = ""
    password: SecretStr | None = field(default=None, repr=False)
    ca: Path | None = None
    plain_http: frozenset[str] = frozenset()
    patience: Patience = field(default_factory=Patience)
    token_hosts: frozenset[str] = frozenset()

    def allows_plain_http(self, address: Address, registry: Address | None = None) -> bool:
        """Tell whether the user has consented to plain HTTP, as for what stays on this machine nobody has to.

        Args:
            address: that is spoken to.
            registry: that leads there; one of another machine does not lead to services of this one.
        """
        is_here = address.is_loopback and (registry is None or registry.is_loopback)
        return address.host in self.plain_http or (is_here and self.ca is None)

    def allows_login_at(self, registry: Address, service: Address) -> bool:
        """Tell whether a token service may get the password that was given for a registry.

        Args:
            registry: that names the service.
            service: its host, with its port where it has one.
        """
        is_named = service.host in self.token_hosts or service.host == TOKEN_SERVICES.get(registry.host)
        return is_named or service.name == registry.name
