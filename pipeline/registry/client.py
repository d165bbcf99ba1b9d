"""The HTTP client of one repository: python-dxf on requests, with what registries and this project want beyond it."""

import base64
import http.cookiejar
from typing import Any

import dxf
import requests

from pipeline.registry.access import Access
from pipeline.registry.address import Address


class Client(dxf.DXF):
    """An open client of one repository; `close` ends its connections.

    Args:
        address: of the registry.
        path: of the repository there.
        access: how to reach it.
        plain_http: whether the registry speaks no TLS.
    """

    def __init__(self, address: Address, path: str, access: Access, *, plain_http: bool) -> None:
        verify = str(access.ca) if access.ca else True
        # requests takes a pair of seconds; the client declares one number, and hands on what it got.
        timeout: Any = (access.patience.connect, access.patience.answer)
        super().__init__(address.host, path, self._log_in, insecure=plain_http, tlsverify=verify, timeout=timeout)
        self._access = access
        self.__enter__()
        session: Any = self._sessions[0]
        # Harbor takes a client with cookies for a browser, and wants more of it.
        session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        # Otherwise requests puts a login of ~/.netrc in the place of ours.
        session.auth = _unchanged
        # No proxy of the environment knows this machine's own services.
        session.trust_env = not address.is_loopback

    def close(self) -> None:
        """Close the connections."""
        self.__exit__(None, None, None)  # type: ignore[no-untyped-call]

    def _log_in(self, _: dxf.DXFBase, response: requests.Response) -> None:
        """Answer a 401: the first one, and that of a token that has expired."""
        username, password = self._access.username, self._access.password
        challenge = response.headers.get("WWW-Authenticate", "").lower()
        if challenge.startswith("bearer"):
            self.authenticate(username or None, password.get_secret_value() if password else None, response=response)
        elif challenge.startswith("basic") and password:
            # The client would do this too, but never without TLS: to that the user has consented, or the password
            # does not leave this machine.
            login = base64.b64encode(f"{username}:{password.get_secret_value()}".encode()).decode()
            self._headers = {"Authorization": f"Basic {login}"}
        else:
            raise dxf.exceptions.DXFUnauthorizedError


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
