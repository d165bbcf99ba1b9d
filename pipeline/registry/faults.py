"""What went wrong with a registry: a definite no, or a fault that passes; this is the one place that tells."""

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

#: Answers of a registry or of what stands before it that pass: https://www.rfc-editor.org/rfc/rfc9110
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
#: What OpenSSL says when it talks to a server that speaks no TLS.
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_MESSAGE", "HTTP_REQUEST")
#: Bytes of an error's document that are read, and characters of it that go into a sentence.
LARGEST_ERROR = 64 << 10
_LONGEST_WORDS = 300


@dataclass(frozen=True)
class Asked:
    """What a registry was asked, for the sentences.

    Args:
        host: of the registry.
        repository: its path there.
        username: who asked; empty for nobody.
    """

    host: str
    repository: str
    username: str

    @property
    def who(self) -> str:
        """The user in a sentence."""
        return f"the user {self.username!r}" if self.username else "an unknown user"


@dataclass(frozen=True)
class Refusal:
    """An answer that is not what was asked for.

    Args:
        status: of HTTP.
        body: the first bytes of it.
        retry_after: the header; empty where there is none.
    """

    status: int
    body: bytes
    retry_after: str = ""

    @property
    def words(self) -> str:
        """The codes and messages of an error's document, bounded and without control characters.

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
        """The status and the words, for a sentence."""
        return f"{self.status}: {self.words}" if self.words else str(self.status)


@contextlib.contextmanager
def translated(asked: Asked) -> Iterator[None]:
    """Turn what the HTTP client raises in a block into one sentence.

    Raises:
        RegistryError: `passing` where it is worth another attempt.
    """
    try:
        yield
    except TimeoutError as error:
        raise RegistryError(
            f"The registry {asked.host} did not answer completely for {asked.repository} in the time that one answer "
            "may take; check the network, and run the same command again.",
            passing=True,
        ) from error
    except (httpx.TransportError, httpx.StreamError, ssl.SSLError) as error:
        raise _broken(asked, error) from error
    except (ValueError, httpx.InvalidURL) as error:
        raise malformed(asked, str(error)) from error


def wants_login(asked: Asked, refusal: Refusal) -> RegistryError:
    """Return the error of a registry that does not serve unknown users."""
    return RegistryError(
        f"The registry {asked.host} wants a login for {asked.repository} ({refusal.reason}); give --username NAME and "
        "--password env://VARIABLE."
    )


def wrong_login(asked: Asked, refusal: Refusal) -> RegistryError:
    """Return the error of a login that a registry, or its token service, does not know."""
    return RegistryError(
        f"The registry {asked.host} refuses the login of {asked.who} ({refusal.reason}); check --username and "
        "--password."
    )


def not_permitted(asked: Asked, refusal: Refusal) -> RegistryError:
    """Return the error of a user whose rights do not suffice."""
    return RegistryError(
        f"The registry {asked.host} does not let {asked.who} do this in {asked.repository} ({refusal.reason}); "
        "ask its owner for the right to push and pull there."
    )


def unnamed_token_service(asked: Asked, service: str) -> RegistryError:
    """Return the error of a token service that may not get the password."""
    return RegistryError(
        f"The registry {asked.host} sends logins to {service}, and the password was not given for that host; "
        f"where {service} belongs to the registry, give --token-host {service}."
    )


def needless_plain_http(asked: Asked, host: str) -> RegistryError:
    """Return the error of a registry that leads to a host without TLS."""
    return RegistryError(
        f"The registry {asked.host} leads to http://{host} for {asked.repository}, without TLS; have the registry name "
        f"https there, or consent with --plain-http {host}."
    )


def answered(asked: Asked, refusal: Refusal) -> RegistryError:
    """Return the error of an answer that is not what was asked for."""
    if refusal.status == HTTPStatus.FORBIDDEN:
        return not_permitted(asked, refusal)
    if refusal.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return RegistryError(
            f"The registry {asked.host} takes no blob of this size for {asked.repository} ({refusal.reason}); "
            "raise the limit of the proxy before it."
        )
    if refusal.status in _PASSING:
        return RegistryError(
            f"The registry {asked.host} is not able to serve {asked.repository} now ({refusal.reason}); "
            "run the same command again later.",
            passing=True,
            retry_after=_seconds(refusal.retry_after),
        )
    return RegistryError(
        f"The registry {asked.host} refuses this for {asked.repository} ({refusal.reason}); "
        "check the address and what the registry allows."
    )


def malformed(asked: Asked, clause: str) -> RegistryError:
    """Return the error of an answer that no registry gives.

    Args:
        asked: of the registry.
        clause: what is wrong with it.
    """
    shown = "".join(character for character in clause if character.isprintable())[:_LONGEST_WORDS]
    return RegistryError(
        f"The registry {asked.host} gives an answer for {asked.repository} that is none of a registry ({shown}); "
        "check that the address is one."
    )


def damaged(asked: Asked, digest: str) -> RegistryError:
    """Return the error of a blob that arrives with other content."""
    return RegistryError(
        f"The registry {asked.host} sent other content from {asked.repository} than {digest}; "
        "run the same command again, and have its storage checked when that fails too.",
        passing=True,
    )


def _seconds(value: str) -> float:
    # The other form is a date, by a clock that need not be this machine's.
    return float(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0.0


def _broken(asked: Asked, error: Exception) -> RegistryError:
    text = _chained(error)
    if any(word in text for word in _NO_TLS):
        return RegistryError(
            f"The registry {asked.host} speaks plain HTTP, which anyone on the network path can read and change; "
            f"enable TLS, or allow it with --plain-http {asked.host}."
        )
    if "CERTIFICATE_VERIFY_FAILED" in text:
        reason = text.partition("certificate verify failed: ")[2].partition(" (_ssl")[0] or "it is for another name"
        return RegistryError(
            f"The certificate of the registry {asked.host} is not trusted here ({reason}); "
            "give the CA that signed it: --ca FILE."
        )
    return RegistryError(
        f"The registry {asked.host} cannot be reached ({_reason(error)}); check its name, the network and the "
        "proxy settings, and run the same command again.",
        passing=True,
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was raised from, under the layers of the HTTP client."""
    current: BaseException | None = error
    for _ in range(16):
        if current is None:
            return
        yield current
        current = current.__cause__ or current.__context__


def _chained(error: BaseException) -> str:
    return "\n".join(str(one) for one in _causes(error))


def _reason(error: BaseException) -> str:
    for one in _causes(error):
        if isinstance(one, socket.gaierror):
            return str(one.strerror)
        if isinstance(one, OSError) and one.errno:
            # asyncio puts the address in the place of the system's words.
            return os.strerror(one.errno)
    return "no answer in time" if isinstance(error, httpx.TimeoutException) else "the connection broke"
