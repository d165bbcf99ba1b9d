"""A service that gives tokens to logins, as GitLab and Harbor have one; docker-registry itself has none.

Source: https://distribution.github.io/distribution/spec/auth/token/
"""

import base64
import contextlib
import json
import ssl
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

from tests.publish.certificates import Signed

#: docker-registry takes a token for so many seconds beyond its end.
LEEWAY = 60
NAME = "tests"


@dataclass
class Tokens:
    """A running service.

    Attributes:
        realm: its address.
        signed: signs the tokens, and is its own certificate.
        login: user and password that it knows.
        lifetime: seconds for which the registry takes a token.
        given: the scopes of each token so far.
        denied: actions that no token lets anybody do.
    """

    realm: str
    signed: Signed
    login: tuple[str, str]
    lifetime: float
    given: list[list[str]] = field(default_factory=list)
    denied: frozenset[str] = frozenset()

    @property
    def auth(self) -> str:
        """The section of a registry's configuration."""
        keys = {"realm": self.realm, "service": NAME, "issuer": NAME, "rootcertbundle": str(self.signed.ca)}
        return f"auth: {{token: {json.dumps(keys)}}}\n"

    def token(self, scopes: list[str]) -> str:
        """Return a token for scopes such as repository:a/b:pull,push."""
        self.given.append(scopes)
        access = [dict(zip(("type", "name", "actions"), scope.split(":"), strict=True)) for scope in scopes]
        now = time.time()
        claims = {
            "iss": NAME,
            "aud": NAME,
            "sub": self.login[0],
            "exp": int(now + self.lifetime - LEEWAY),
            "nbf": int(now - LEEWAY),
            "iat": int(now),
            "jti": str(uuid.uuid4()),
            "access": [{**one, "actions": [*{*one["actions"].split(",")} - self.denied]} for one in access],
        }
        certificate = ssl.PEM_cert_to_DER_cert(self.signed.certificate.read_text())
        header = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(certificate).decode()]}
        payload = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
        sign = ["openssl", "dgst", "-sha256", "-sign", str(self.signed.key)]
        signature = subprocess.run(sign, input=payload.encode(), capture_output=True, check=True).stdout
        return f"{payload}.{_encoded(signature)}"


@contextlib.contextmanager
def serving(signed: Signed, login: tuple[str, str], lifetime: float) -> Iterator[Tokens]:
    """A service with TLS, for the time of a block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(signed.certificate, signed.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    tokens = Tokens(f"https://127.0.0.1:{server.server_address[1]}/token", signed, login, lifetime)
    _Handler.of[server.server_address[1]] = tokens
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield tokens
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    of: dict[int, Tokens] = {}  # noqa: RUF012  by the port of the server

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Give a token to whoever knows the password."""
        tokens = self.of[self.server.server_address[1]]  # type: ignore[index]
        expected = base64.b64encode(":".join(tokens.login).encode()).decode()
        if self.headers.get("Authorization") != f"Basic {expected}":
            self.send_error(401)
            return
        scopes = parse_qs(urlparse(self.path).query).get("scope", [])
        content = json.dumps({"token": tokens.token(scopes)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
