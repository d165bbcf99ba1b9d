"""Registries that nobody should meet, faked on the loopback: each answers by a function of its test."""

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.publish.certificates import Signed


@dataclass(frozen=True)
class Seen:
    """A request, as far as tests look at it."""

    method: str
    path: str
    authorization: str | None
    cookie: str | None


@dataclass
class Hostile:
    """A running server.

    Attributes:
        port: where it listens.
        scheme: https or http.
        seen: the requests so far.
        sent: bytes of bodies so far.
    """

    port: int
    scheme: str
    seen: list[Seen] = field(default_factory=list)
    sent: int = 0

    @property
    def host(self) -> str:
        """Its address."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Its URL, without a path."""
        return f"{self.scheme}://{self.host}"

    @property
    def other_url(self) -> str:
        """Its URL under another name, for which its certificate is good as well."""
        return f"{self.scheme}://0.0.0.0:{self.port}"

    @property
    def logins(self) -> set[str | None]:
        """What was sent to it to log in."""
        return {one.authorization for one in self.seen}


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    of: dict[int, tuple[Hostile, "Answer"]] = {}  # noqa: RUF012  by the port of the server

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    @property
    def hostile(self) -> Hostile:
        """The server."""
        return self.of[self.server.server_address[1]][0]  # type: ignore[index]

    def reply(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        """Answer completely."""
        self.send_response_only(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def reply_json(self, document: Any, headers: dict[str, str] | None = None) -> None:
        """Answer with a document."""
        self.reply(200, json.dumps(document).encode(), headers)

    def endless(self, status: int, chunk: bytes, pause: Callable[[], object] = lambda: None) -> None:
        """Answer without an end, up to 64 MiB."""
        self.send_response_only(status)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while self.hostile.sent < 64 << 20:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.hostile.sent += len(chunk)
            pause()

    def _do(self) -> None:
        hostile, answer = self.of[self.server.server_address[1]]  # type: ignore[index]
        seen = Seen(self.command, self.path, self.headers.get("Authorization"), self.headers.get("Cookie"))
        hostile.seen.append(seen)
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            answer(self)
        except OSError:
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = _do  # noqa: N815


#: Takes a request; it is the whole answer.
Answer = Callable[[Handler], None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that go away."""


@contextlib.contextmanager
def hostile(answer: Answer, signed: Signed | None) -> Iterator[Hostile]:
    """A server for the time of a block, with TLS where there is a certificate."""
    server = _Server(("127.0.0.1", 0), Handler)
    if signed:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(signed.certificate, signed.key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    running = Hostile(server.server_address[1], "https" if signed else "http")
    Handler.of[running.port] = (running, answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def behind_basic(then: Answer) -> Answer:
    """Ask for a password first."""

    def answer(handler: Handler) -> None:
        if handler.headers.get("Authorization"):
            then(handler)
        else:
            handler.reply(401, headers={"WWW-Authenticate": 'Basic realm="x"'})

    return answer


def behind_token(realm: str, then: Answer) -> Answer:
    """Ask for a token of a service first."""
    challenge = f'Bearer realm="{realm}",service="tests",scope="repository:x/ska-base:pull"'

    def answer(handler: Handler) -> None:
        if (handler.headers.get("Authorization") or "").startswith("Bearer "):
            then(handler)
        else:
            handler.reply(401, headers={"WWW-Authenticate": challenge})

    return answer
