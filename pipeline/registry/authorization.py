"""Answers a registry's challenges; `access` decides where the password may go.

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
from pipeline.registry.faults import Endpoint, malformed
from pipeline.strict import parse_object

_LARGEST_TOKEN = 64 << 10
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True)
class Challenge:
    """One way to log in: https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1

    Args:
        scheme: basic or bearer, in lowercase.
        parameters: such as realm, service and scope.
    """

    scheme: str
    parameters: Mapping[str, str]


def parse_challenges(headers: Iterable[str]) -> list[Challenge]:
    """Return the supported challenges, bearer tokens first.

    Args:
        headers: the values of a response's WWW-Authenticate headers.
    """
    found = [challenge for header in headers if (challenge := _parse(header))]
    return sorted(found, key=lambda challenge: challenge.scheme != "bearer")


class Authorization:
    """The authorization of requests to a registry: none at first, then a password or a token.

    Args:
        registry: the registry.
        access: provides the login.
        endpoint: named in errors.
    """

    def __init__(self, registry: Address, access: Access, endpoint: Endpoint) -> None:
        self._registry, self._access, self._endpoint = registry, access, endpoint
        self._value = ""

    @property
    def headers(self) -> dict[str, str]:
        """The header of a request to the registry itself."""
        return {"Authorization": self._value} if self._value else {}

    @property
    def has_password(self) -> bool:
        """Whether the user gave a password."""
        return self._access.password is not None

    @property
    def is_token(self) -> bool:
        """Whether a token service has accepted the login."""
        return self._value.startswith("Bearer ")

    def use_password(self) -> None:
        """Send the password itself from now on, if there is one."""
        self._value = self._basic

    def token_request(self, challenge: Challenge) -> tuple[httpx.URL, dict[str, str]]:
        """Return the URL and the headers of a token request.

        Raises:
            RegistryError: the token service may not be reached that way, or may not get the password.
        """
        realm = httpx.URL(challenge.parameters.get("realm", ""))
        if realm.scheme not in ("http", "https") or not realm.host:
            raise malformed(self._endpoint, "it does not name a token service")
        service = address_of(realm)
        if realm.scheme == "http" and not self._access.allows_plain_http(service, self._registry):
            raise faults.needless_plain_http(self._endpoint, service.host)
        if self._basic and not self._access.allows_login_at(self._registry, service):
            raise faults.unnamed_token_service(self._endpoint, service.host)
        name, scopes = challenge.parameters.get("service", ""), challenge.parameters.get("scope", "").split()
        query = [("service", name)] if name else []
        query += [("scope", scope) for scope in scopes]
        url = realm.copy_with(params=[*realm.params.multi_items(), *query])
        return url, {"Authorization": self._basic} if self._basic else {}

    async def take_token(self, response: httpx.Response) -> None:
        """Send the token in a token service's response from now on.

        Raises:
            RegistryError: the service refuses the login, or returns no token.
        """
        if response.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            error = faults.wrong_login if self._basic else faults.wants_login
            raise error(self._endpoint, await read_refusal(response))
        if response.status_code != HTTPStatus.OK:
            raise faults.answered(self._endpoint, await read_refusal(response))
        document = parse_object(await read_body(response, _LARGEST_TOKEN), _LARGEST_TOKEN)
        token = document.get("token") or document.get("access_token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise malformed(self._endpoint, "its token service returns no token")
        self._value = f"Bearer {token}"

    @property
    def _basic(self) -> str:
        password = self._access.password
        if password is None:
            return ""
        login = f"{self._access.username}:{password.get_secret_value()}".encode()
        return f"Basic {base64.b64encode(login).decode()}"


def address_of(url: httpx.URL) -> Address:
    """Return the host of a URL, with its port unless that is the scheme's default."""
    return Address(url.netloc.decode())


def _parse(header: str) -> Challenge | None:
    scheme, _, rest = header.strip().partition(" ")
    pairs = [pair for pair in parse_http_list(rest) if "=" in pair]
    known = scheme.lower() in ("basic", "bearer")
    return Challenge(scheme.lower(), parse_keqv_list(pairs)) if known else None
