"""Who asks a registry, whom to trust, and how patiently."""

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from pipeline.registry.address import Address


@dataclass(frozen=True)
class Patience:
    """How long a registry may take, and how often it is asked again after a fault that passes.

    Args:
        attempts: how often it is asked in all.
        first_wait: seconds before the second attempt; doubled for each that follows.
        longest_wait: seconds that are waited at most, also where the registry asks for more.
        connect: seconds until a connection stands.
        answer: seconds of silence that are taken for a fault.
    """

    attempts: int = 6
    first_wait: float = 0.5
    longest_wait: float = 60.0
    connect: float = 10.0
    answer: float = 120.0


@dataclass(frozen=True)
class Access:
    """How one user reaches registries.

    Args:
        username: empty for nobody.
        password: of the user; a text that no message, log or traceback shows.
        ca: a file of certificates that are trusted instead of the well-known ones.
        plain_http: hosts for which the user consents to a connection without TLS.
        patience: for all requests.
    """

    username: str = ""
    password: SecretStr | None = field(default=None, repr=False)
    ca: Path | None = None
    plain_http: frozenset[str] = frozenset()
    patience: Patience = field(default_factory=Patience)

    def allows_plain_http(self, address: Address) -> bool:
        """Tell whether the user has consented to plain HTTP, as for what stays on this machine nobody has to."""
        return address.host in self.plain_http or (address.is_loopback and self.ca is None)
