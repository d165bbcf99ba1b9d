"""The errors of registries; this is the one place that tells transient errors from refusals."""

import contextlib
import os
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from pipeline.errors import RegistryError
from pipeline.strict import parse_object

#: Transient statuses of a registry or a proxy before it: https://www.rfc-editor.org/rfc/rfc9110
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
#: OpenSSL's errors for a server that does not speak TLS.
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_MESSAGE", "HTTP_REQUEST")
#: How many bytes of an error document are read, and how many characters of it are shown.
LARGEST_ERROR = 64 << 10
_LONGEST_WORDS = 300


@dataclass(frozen=True)
class Endpoint:
    """A repository as one user reaches it, for errors.

    Args:
        host: the registry's host.
        repository: the repository's path.
        username: empty for anonymous access.
    """

    host: str
    repository: str
    username: str

    @property
    def who(self) -> str:
        """The user, for a sentence."""
        return f"the user {self.username!r}" if self.username else "anonymous users"


@dataclass(frozen=True)
class Refusal:
    """An unexpected response.

    Args:
        status: the HTTP status.
        body: the first bytes of the body.
        retry_after: the Retry-After header; empty if there is none.
    """

    status: int
    body: bytes
    retry_after: str = ""

    @property
    def words(self) -> str:
        """The codes and messages of the error document, shortened and without control characters.

        Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#error-codes
        """
        try:
            errors = parse_object(self.body, LARGEST_ERROR)["errors"]
            texts = [f"{error.get('code', '')} {error.get('message', '')}".strip() for error in errors]
        except (ValueError, KeyError, TypeError, AttributeError):
            return ""
        text = "".join(character for character in "; ".join(texts) if character.isprintable())
        return text if len(text) <= _LONGEST_WORDS else f"{text[:_LONGEST_WORDS]}…"

    @property
    def reason(self) -> str:
        """The status and the registry's words, for a sentence."""
        return f"{self.status}: {self.words}" if self.words else str(self.status)


@contextlib.contextmanager
def translated(endpoint: Endpoint) -> Iterator[None]:
    """Turn the HTTP client's exceptions in a block into a RegistryError.

    Raises:
        RegistryError: `passing` if another attempt may succeed.
    """
    try:
        yield
    except TimeoutError as error:
        raise RegistryError(
            f"The registry {endpoint.host} did not complete its response for {endpoint.repository} in time; check the "
            "network, and run the same command again.",
            passing=True,
        ) from error
    except (httpx.TransportError, httpx.StreamError, ssl.SSLError) as error:
        raise _broken(endpoint, error) from error
    except (ValueError, httpx.InvalidURL) as error:
        raise malformed(endpoint, str(error)) from error


def wants_login(endpoint: Endpoint, refusal: Refusal) -> RegistryError:
    """Return the error of a registry that requires a login."""
    return RegistryError(
        f"The registry {endpoint.host} requires a login for {endpoint.repository} ({refusal.reason}); give --username "
        "NAME and --password env://VARIABLE."
    )


def wrong_login(endpoint: Endpoint, refusal: Refusal) -> RegistryError:
    """Return the error of a login that a registry or its token service does not accept."""
    return RegistryError(
        f"The registry {endpoint.host} refuses the login of {endpoint.who} ({refusal.reason}); check --username and "
        "--password."
    )


def not_permitted(endpoint: Endpoint, refusal: Refusal) -> RegistryError:
    """Return the error of a user without the necessary rights."""
    return RegistryError(
        f"The registry {endpoint.host} does not let {endpoint.who} do this in {endpoint.repository} "
        f"({refusal.reason}); ask its owner for the right to push and pull there."
    )


def unnamed_token_service(endpoint: Endpoint, service: str) -> RegistryError:
    """Return the error of a token service that may not get the password."""
    return RegistryError(
        f"The registry {endpoint.host} sends logins to {service}, but the password was not given for that host; "
        f"if {service} belongs to the registry, give --token-host {service}."
    )


def needless_plain_http(endpoint: Endpoint, host: str) -> RegistryError:
    """Return the error of a registry that refers to a host without TLS."""
    return RegistryError(
        f"The registry {endpoint.host} refers to http://{host} for {endpoint.repository}, without TLS; configure the "
        f"registry to use https there, or give --plain-http {host}."
    )


def answered(endpoint: Endpoint, refusal: Refusal) -> RegistryError:
    """Return the error of an unexpected response."""
    if refusal.status == HTTPStatus.FORBIDDEN:
        return not_permitted(endpoint, refusal)
    if refusal.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return RegistryError(
            f"The registry {endpoint.host} does not accept a blob of this size for {endpoint.repository} "
            f"({refusal.reason}); raise the limit of the proxy before it."
        )
    if refusal.status in _PASSING:
        return RegistryError(
            f"The registry {endpoint.host} cannot serve {endpoint.repository} now ({refusal.reason}); run the same "
            "command again later.",
            passing=True,
            retry_after=_seconds(refusal.retry_after),
        )
    return RegistryError(
        f"The registry {endpoint.host} refuses the request for {endpoint.repository} ({refusal.reason}); check the "
        "address and the registry's policies."
    )


def malformed(endpoint: Endpoint, clause: str) -> RegistryError:
    """Return the error of a response that does not follow the registry API.

    Args:
        endpoint: the repository.
        clause: what is wrong with the response.
    """
    shown = "".join(character for character in clause if character.isprintable())[:_LONGEST_WORDS]
    return RegistryError(
        f"The registry {endpoint.host} sent an invalid response for {endpoint.repository} ({shown}); check that the "
        "address is a registry's."
    )


def damaged(endpoint: Endpoint, digest: str) -> RegistryError:
    """Return the error of a blob whose content does not match its digest."""
    return RegistryError(
        f"The registry {endpoint.host} sent content from {endpoint.repository} that does not match {digest}; run the "
        "same command again, and if that fails too, have the registry's storage checked.",
        passing=True,
    )


def _seconds(value: str) -> float:
    # The other form is a date, by a clock that may differ from this machine's.
    return float(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0.0


def _broken(endpoint: Endpoint, error: Exception) -> RegistryError:
    text = _chained(error)
    if any(word in text for word in _NO_TLS):
        return RegistryError(
            f"The registry {endpoint.host} speaks plain HTTP, which anyone on the path can read and change; enable "
            f"TLS, or give --plain-http {endpoint.host}."
        )
    if "CERTIFICATE_VERIFY_FAILED" in text:
        reason = text.partition("certificate verify failed: ")[2].partition(" (_ssl")[0] or "it is for another name"
        return RegistryError(
            f"The certificate of the registry {endpoint.host} is not trusted ({reason}); give its CA with --ca FILE."
        )
    return RegistryError(
        f"The registry {endpoint.host} cannot be reached ({_reason(error)}); check its name, the network and the "
        "proxy settings, and run the same command again.",
        passing=True,
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its chain of causes through the layers of the HTTP client."""
    current: BaseException | None = error
    for _ in range(16):
        if current is None:
            return
        yield current
        current = current.__cause__ or current.__context__


def _chained(error: BaseException) -> str:
    return "\n".join(str(cause) for cause in _causes(error))


def _reason(error: BaseException) -> str:
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return str(cause.strerror)
        if isinstance(cause, OSError) and cause.errno:
            # asyncio replaces the system's message with the address.
            return os.strerror(cause.errno)
    return "no answer in time" if isinstance(error, httpx.TimeoutException) else "the connection broke"
