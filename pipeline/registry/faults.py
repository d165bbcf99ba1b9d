"""What went wrong with a registry: a definite no, or a fault that passes; this is the one place that tells."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

import dxf.exceptions
import requests

from pipeline.errors import RegistryError

T = TypeVar("T")

#: Answers of a registry or of what stands before it that pass: https://www.rfc-editor.org/rfc/rfc9110
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
#: What OpenSSL says when it talks to a server that speaks no TLS.
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_MESSAGE", "HTTP_REQUEST")


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


def translated(asked: Asked, call: Callable[[], T]) -> T:
    """Make a call of the client, and turn its errors into ours.

    Raises:
        RegistryError: one sentence; `passing` where it is worth another attempt.
    """
    try:
        return call()
    except RegistryError:
        # Of the other registry, whose blob is being copied.
        raise
    except dxf.exceptions.DXFUnauthorizedError:
        raise _unauthorized(asked) from None
    except dxf.exceptions.DXFAuthInsecureError:
        raise RegistryError(
            f"The registry {asked.host} gives tokens for logins, which it must not do over plain HTTP; "
            "make it speak TLS."
        ) from None
    except dxf.exceptions.DXFDigestMismatchError as error:
        raise RegistryError(
            f"The registry {asked.host} sent other content from {asked.repository} than {error.expected}; "
            "run the same command again, and have its storage checked when that fails too.",
            passing=True,
        ) from None
    except requests.exceptions.HTTPError as error:
        raise _answered(asked, answer(error)) from None
    except requests.exceptions.SSLError as error:
        raise _untrusted(asked, str(error)) from None
    except requests.exceptions.RequestException as error:
        raise RegistryError(
            f"The registry {asked.host} cannot be reached ({_reason(error)}); check its name, the network and the "
            "proxy settings, and run the same command again.",
            passing=True,
        ) from None
    except (ValueError, KeyError, AssertionError, dxf.exceptions.DXFError) as error:
        # What the client raises on a header or a document that should be there and is not.
        raise RegistryError(
            f"The registry {asked.host} gives an answer for {asked.repository} that is none of a registry "
            f"({type(error).__name__}); check that the address is one."
        ) from None


def answer(error: requests.exceptions.HTTPError) -> requests.Response:
    """Return the response that an error of the client is about; it always has one."""
    if error.response is None:
        raise error
    return error.response


def _unauthorized(asked: Asked) -> RegistryError:
    if asked.username:
        return RegistryError(
            f"The registry {asked.host} refuses the login of {asked.who} (401); check --username and --password."
        )
    return RegistryError(
        f"The registry {asked.host} wants a login for {asked.repository} (401); give --username NAME and "
        "--password env://VARIABLE."
    )


def _answered(asked: Asked, response: requests.Response) -> RegistryError:
    status, said = response.status_code, _said(response)
    if status == HTTPStatus.FORBIDDEN:
        return RegistryError(
            f"The registry {asked.host} does not let {asked.who} do this in {asked.repository} (403{said}); "
            "ask its owner for the right to push and pull there."
        )
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return RegistryError(
            f"The registry {asked.host} takes no blob of this size for {asked.repository} (413{said}); "
            "raise the limit of the proxy before it."
        )
    if status in _PASSING:
        return RegistryError(
            f"The registry {asked.host} is not able to serve {asked.repository} now ({status}{said}); "
            "run the same command again later.",
            passing=True,
            retry_after=_seconds(response.headers.get("Retry-After", "")),
        )
    return RegistryError(
        f"The registry {asked.host} refuses this for {asked.repository} ({status}{said}); "
        "check the address and what the registry allows."
    )


def _said(response: requests.Response) -> str:
    """Return the codes and messages of an error's document, which is all of it that goes into a sentence."""
    try:
        errors = json.loads(response.content[: 1 << 16])["errors"]
        said = [f"{error.get('code', '')} {error.get('message', '')}".strip() for error in errors]
    except (ValueError, KeyError, TypeError, AttributeError, requests.exceptions.RequestException):
        return ""
    text = "".join(character for character in "; ".join(said) if character.isprintable())
    return f": {text[:200]}" if text else ""


def _seconds(value: str) -> float:
    # The other form is a date, by a clock that need not be this machine's.
    return float(value) if value.isdigit() else 0.0


def _untrusted(asked: Asked, said: str) -> RegistryError:
    if any(word in said for word in _NO_TLS):
        return RegistryError(
            f"The registry {asked.host} speaks plain HTTP, which anybody on the way can read and change; "
            f"make it speak TLS, or consent with --plain-http {asked.host}."
        )
    if "CERTIFICATE_VERIFY_FAILED" in said or "doesn't match" in said:
        reason = said.partition("certificate verify failed: ")[2].partition(" (_ssl")[0] or "it is for another name"
        return RegistryError(
            f"The certificate of the registry {asked.host} is not trusted here ({reason}); "
            "give the CA that signed it: --ca FILE."
        )
    return RegistryError(
        f"The connection to the registry {asked.host} broke ({said[-200:]}); run the same command again.", passing=True
    )


def _reason(error: BaseException) -> str:
    """Find the system's own words under the layers of the HTTP client."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, OSError) and current.strerror:
            return current.strerror
        nested = [argument for argument in current.args if isinstance(argument, BaseException)]
        reason = getattr(current, "reason", None)
        current = reason if isinstance(reason, BaseException) else (nested[0] if nested else current.__cause__)
    return "no answer in time" if isinstance(error, requests.exceptions.Timeout) else "the connection broke"
