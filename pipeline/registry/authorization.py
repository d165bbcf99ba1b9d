"""How a user answers the challenges of a registry; where the password may go, `access` says.

Source: https://distribution.github.io/distribution/spec/auth/token/
"""

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.request import parse_http_list, parse_keqv_list

import httpx

from pipeline.registry import faults
from pipeline.registry.access import Access
from pipeline.registry.address import Address
from pipeline.registry.body import read_body, read_refusal
from pipeline.registry.faults import Asked, malformed
from pipeline.strict import parse_object

_LARGEST_TOKEN = 64 << 10
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True)
class Challenge:
    """One way to log in: https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1

    Args:
        scheme: in small letters: basic or bearer.
        parameters: such as realm, service and scope.
    """

    scheme: str
    parameters: Mapping[str, str]


def parse_challenges(headers: Iterable[str]) -> list[Challenge]:
    """Return the ways that are known here, tokens first.

    Args:
        headers: each WWW-Authenticate of an answer.
    """
    found = [challenge for header in headers if (challenge := _parse(header))]
    return sorted(found, key=lambda challenge: challenge.scheme != "bearer")


class Authorization:
    """What is sent to a registry to prove who asks: nothing at first, then a password or a token.

    Args:
        registry: that it is for.
        access: with the login.
        asked: for the sentences.
    """

    def __init__(self, registry: Address, access: Access, asked: Asked) -> None:
        self._registry, self._access, self._asked = registry, access, asked
        self._value = ""

    @property
    def headers(self) -> dict[str, str]:
        """The header of a request to the registry itself."""
        return {"Authorization": self._value} if self._value else {}

    @property
    def has_password(self) -> bool:
        """Whether the user gave one."""
        return self._access.password is not None

    @property
    def is_token(self) -> bool:
        """Whether a token service has taken the login."""
        return self._value.startswith("Bearer ")

    def use_password(self) -> None:
        """Send the password itself from now on, where there is one."""
        self._value = self._basic

    def token_request(self, challenge: Challenge) -> tuple[httpx.URL, dict[str, str]]:
        """Return the URL of a token and the headers to ask for it with.

        Raises:
            RegistryError: the token service may not be asked, or not with the password.
        """
        realm = httpx.URL(challenge.parameters.get("realm", ""))
        if realm.scheme not in ("http", "https") or not realm.host:
            raise malformed(self._asked, "it names no token service")
        service = address_of(realm)
        if realm.scheme == "http" and not self._access.allows_plain_http(service, self._registry):
            raise faults.needless_plain_http(self._asked, service.host)
        if self._basic and not self._access.allows_login_at(self._registry, service):
            raise faults.unnamed_token_service(self._asked, service.host)
        name, scopes = challenge.parameters.get("service", ""), challenge.parameters.get("scope", "").split()
        query = [("service", name)] if name else []
        query += [("scope", scope) for scope in scopes]
        url = realm.copy_with(params=[*realm.params.multi_items(), *query])
        return url, {"Authorization": self._basic} if self._basic else {}

    async def take_token(self, response: httpx.Response) -> None:
        """Send the token of a token service's answer from now on.

        Raises:
            RegistryError: the service refuses the login, or gives no token.
        """
        if response.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            error = faults.wrong_login if self._basic else faults.wants_login
            raise error(self._asked, await read_refusal(response))
        if response.status_code != HTTPStatus.OK:
            raise faults.answered(self._asked, await read_refusal(response))
        document = parse_object(await read_body(response, _LARGEST_TOKEN), _LARGEST_TOKEN)
        token = document.get("token") or document.get("access_token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise malformed(self._asked, "its token service gives no token")
        self._value = f"Bearer {token}"

    @property
    def _basic(self) -> str:
        password = self._access.password
        if password is None:
            return ""
        login = f"{self._access.username}:{password.get_secret_value()}".encode()
        return f"Basic {base64.b64encode(login).decode()}"


def address_of(url: httpx.URL) -> Address:
    """Return the host of a URL, with its port where that is not the scheme's own."""
    return Address(url.netloc.decode())


def _parse(header: str) -> Challenge | None:
    scheme, _, rest = header.strip().partition(" ")
    pairs = [pair for pair in parse_http_list(rest) if "=" in pair]
    known = scheme.lower() in ("basic", "bearer")
    return Challenge(scheme.lower(), parse_keqv_list(pairs)) if known else None
