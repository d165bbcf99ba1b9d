"""The HTTP client of one repository: httpx, which by itself follows no redirect and sends no login.

python-dxf sends the login along with redirects, upload locations and token realms, and cannot be told otherwise.
`access` decides where a login may go.
"""

import contextlib
import http.cookiejar
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from http import HTTPStatus
from typing import Any

import anyio
import httpx

from pipeline.errors import RegistryError
from pipeline.registry import faults
from pipeline.registry.access import Access
from pipeline.registry.address import Address
from pipeline.registry.authorization import Authorization, address_of, parse_challenges
from pipeline.registry.body import read_refusal
from pipeline.registry.faults import Endpoint, malformed

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: Redirects that keep the method: https://www.rfc-editor.org/rfc/rfc9110#section-15.4
_SAME_METHOD = frozenset({307, 308})
_MOST_REDIRECTS = 5
#: Produces the body of a request, anew each time it is sent.
Body = Callable[[], AsyncIterator[bytes]] | bytes | None


def open_connections(address: Address, access: Access) -> httpx.AsyncClient:
    """Return connections to a registry and to the hosts it refers to; `aclose` ends them.

    Raises:
        RegistryError: the environment's proxies or certificates cannot be used.
    """
    # The environment's proxies do not reach this machine's own services.
    trust_env = not address.is_loopback
    try:
        verify = (
            ssl.create_default_context(cafile=access.ca) if access.ca else httpx.create_ssl_context(trust_env=trust_env)
        )
    except OSError as error:
        raise RegistryError(
            f"The certificates for the registry {address.host} cannot be read ({error}); check --ca, SSL_CERT_FILE "
            "and SSL_CERT_DIR."
        ) from error
    try:
        return httpx.AsyncClient(
            verify=verify,
            trust_env=trust_env,
            timeout=httpx.Timeout(access.patience.answer, connect=access.patience.connect, pool=None),
            # Harbor treats a client with cookies as a browser, and requires a CSRF token from it.
            cookies=http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(allowed_domains=[])),
            # Compressed bytes would not match the digest, and could expand without limit.
            headers={"Accept-Encoding": "identity", "User-Agent": "ska-images"},
            follow_redirects=False,
        )
    except (ImportError, ValueError, httpx.InvalidURL):
        # The text of the error may hold the proxy's password.
        raise RegistryError(
            f"The registry {address.host} cannot be reached through the environment's proxy; write HTTPS_PROXY, "
            "HTTP_PROXY and ALL_PROXY as http://HOST:PORT, and list hosts without a proxy in NO_PROXY."
        ) from None


class Client:
    """Sends one repository's requests, with the user's login where that may go.

    Args:
        http: connections to the registry.
        address: the registry.
        path: the path of the repository in it.
        access: the login, certificates and timeouts.
        plain_http: whether the registry speaks plain HTTP.
    """

    def __init__(
        self, http: httpx.AsyncClient, address: Address, path: str, access: Access, *, plain_http: bool
    ) -> None:
        self._http, self._address, self._access = http, address, access
        self._endpoint = Endpoint(address.host, path, access.username)
        self._api = httpx.URL(f"{'http' if plain_http else 'https'}://{address.host}/v2/")
        self._repository = self._api.join(f"{path}/")
        self._login = Authorization(address, access, self._endpoint)

    @contextlib.asynccontextmanager
    async def request(
        self, method: str, target: "str | httpx.URL", *, headers: Mapping[str, str] | None = None, body: Body = None
    ) -> AsyncIterator[httpx.Response]:
        """Send a request, and yield its response, whose body has not been read.

        Args:
            method: the HTTP method.
            target: a path below the repository, or a URL.
            headers: headers beside the login.
            body: the request's body.

        Raises:
            RegistryError: the registry refers to a host that may not be contacted, or the login is refused.
        """
        response = await self._follow(method, self._repository.join(target), dict(headers or {}), body)
        try:
            yield response
            await _finish(response)
        finally:
            await response.aclose()

    def location(self, response: httpx.Response) -> httpx.URL:
        """Return the Location of a response; a registry behind a proxy may not know that it is reached over TLS.

        Raises:
            RegistryError: there is no Location, or it is on a host without TLS that the user did not allow.
        """
        return self._led(response, response.headers.get("Location", ""))

    def next_page(self, response: httpx.Response) -> httpx.URL | None:
        """Return the URL of a list's next page; None on the last page.

        Raises:
            RegistryError: the next page is on another host.
        """
        link = response.links.get("next", {}).get("url")
        if not link:
            return None
        url = self._led(response, link)
        if not self._is_own(url):
            raise malformed(self._endpoint, f"its list continues at {url.host}")
        return url

    async def refuse(self, response: httpx.Response) -> RegistryError:
        """Return the error for an unexpected response."""
        refusal = await read_refusal(response)
        if refusal.status != HTTPStatus.UNAUTHORIZED or not self._is_own(response.url):
            return faults.answered(self._endpoint, refusal)
        if not self._login.has_password:
            return faults.wants_login(self._endpoint, refusal)
        knows = self._login.is_token or await self._knows_login()
        return (faults.not_permitted if knows else faults.wrong_login)(self._endpoint, refusal)

    async def _follow(self, method: str, url: httpx.URL, headers: dict[str, str], body: Body) -> httpx.Response:
        for _ in range(_MOST_REDIRECTS + 1):
            response = await self._logged_in(method, url, headers, body)
            if response.status_code not in _REDIRECTS or "Location" not in response.headers:
                return response
            await response.aclose()
            url = self.location(response)
            reads = method in ("GET", "HEAD")
            if not reads and not (self._is_own(url) and response.status_code in _SAME_METHOD):
                raise malformed(self._endpoint, f"it redirects an upload to {url.host} ({response.status_code})")
        raise malformed(self._endpoint, f"it redirects more than {_MOST_REDIRECTS} times")

    async def _logged_in(self, method: str, url: httpx.URL, headers: dict[str, str], body: Body) -> httpx.Response:
        if not self._is_own(url):
            return await self._send(method, url, headers, body)
        used = self._login.headers
        response = await self._send(method, url, {**headers, **used}, body)
        # The first request gets a 401, and so does an expired token.
        if response.status_code == HTTPStatus.UNAUTHORIZED and await self._log_in(response, used):
            await response.aclose()
            response = await self._send(method, url, {**headers, **self._login.headers}, body)
        return response

    async def _log_in(self, response: httpx.Response, used: Mapping[str, str]) -> bool:
        """Answer a challenge; return False if only the refused answer is available."""
        for challenge in parse_challenges(response.headers.get_list("WWW-Authenticate")):
            if challenge.scheme == "basic":
                self._login.use_password()
                return self._login.headers != used
            realm, headers = self._login.token_request(challenge)
            answer = await self._send("GET", realm, headers, None)
            try:
                await self._login.take_token(answer)
            finally:
                await answer.aclose()
            return True
        return False

    async def _knows_login(self) -> bool:
        """Return whether the registry accepts the login for its API."""
        response = await self._send("GET", self._api, self._login.headers, None)
        await response.aclose()
        return response.status_code != HTTPStatus.UNAUTHORIZED

    async def _send(self, method: str, url: httpx.URL, headers: Mapping[str, str], body: Body) -> httpx.Response:
        if url.scheme not in ("http", "https") or not url.host or url.userinfo:
            raise malformed(self._endpoint, "it refers to something that is not an HTTP URL")
        content, begun = body() if callable(body) else body, _Begun()
        try:
            # Without `auth`, httpx would take a login from the URL or from ~/.netrc.
            extensions = {"trace": begun.trace}
            request = self._http.build_request(method, url, headers=headers, content=content, extensions=extensions)
            return await self._http.send(request, stream=True, auth=_unchanged)
        except BaseException:
            await begun.aclose()
            raise
        finally:
            if content is not None and not isinstance(content, bytes):
                await _close(content)

    def _led(self, response: httpx.Response, target: str) -> httpx.URL:
        if not target:
            raise malformed(self._endpoint, "it gives no location to continue at")
        url = response.url.join(target)
        if url.netloc == self._api.netloc:
            return url.copy_with(scheme=self._api.scheme)
        if url.scheme == "http" and not self._access.allows_plain_http(address_of(url), self._address):
            raise faults.needless_plain_http(self._endpoint, address_of(url).host)
        return url

    def _is_own(self, url: httpx.URL) -> bool:
        return (url.scheme, url.netloc) == (self._api.scheme, self._api.netloc)


class _Begun:
    """Closes a connection that httpcore leaves open when its TLS handshake is cancelled.

    Source: https://www.encode.io/httpcore/extensions/#trace
    """

    def __init__(self) -> None:
        self._streams: list[Any] = []

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Record which connections httpcore has opened and secured."""
        if event == "connection.connect_tcp.complete":
            self._streams.append(info["return_value"])
        elif event == "connection.start_tls.complete":
            self._streams.clear()

    async def aclose(self) -> None:
        """Close the connection, even in a cancelled run."""
        with anyio.CancelScope(shield=True):
            for stream in self._streams:
                await stream.aclose()


async def _finish(response: httpx.Response) -> None:
    """Read an empty body to its end, so that the connection serves the next request; httpx closes it otherwise.

    Source: https://www.python-httpx.org/async/#streaming-responses
    """
    empty = response.request.method == "HEAD" or response.headers.get("Content-Length") == "0"
    if empty and not response.is_closed and "Transfer-Encoding" not in response.headers:
        async for _ in response.aiter_raw():
            pass


async def _close(content: AsyncIterator[bytes]) -> None:
    if close := getattr(content, "aclose", None):
        await close()


def _unchanged(request: httpx.Request) -> httpx.Request:
    return request
