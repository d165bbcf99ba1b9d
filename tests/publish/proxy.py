"""A proxy before a registry that does what networks and registries do on a bad day."""

import contextlib
import http.client
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_CHUNK = 64 << 10
#: A fault takes the request in its hands; it is the whole answer.
Fault = Callable[["_Handler"], None]


@dataclass
class Planned:
    """A fault, and the requests that meet it."""

    fault: Fault
    method: str
    path: str
    times: int


@dataclass
class Proxy:
    """A running proxy.

    Attributes:
        address: where it listens.
        planned: the faults that wait for their requests.
        seen: the requests so far, METHOD PATH each.
        delay: seconds before each answer.
        connections: of clients, open or closed.
    """

    address: str
    planned: list[Planned] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    delay: float = 0.0
    connections: list[socket.socket] = field(default_factory=list)

    def plan(self, fault: Fault, method: str, path: str, times: int = 1) -> None:
        """Let the next requests with that method and a path that the expression finds meet a fault."""
        self.planned.append(Planned(fault, method, path, times))

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault that is planned for a request."""
        self.seen.append(f"{method} {path}")
        for planned in self.planned:
            if planned.times and planned.method == method and re.search(planned.path, path):
                planned.times -= 1
                return planned.fault
        return None

    @property
    def is_done(self) -> bool:
        """Whether every planned fault has happened."""
        return not any(planned.times for planned in self.planned)


@contextlib.contextmanager
def proxied(registry: str) -> Iterator[Proxy]:
    """A proxy before a registry without TLS, for the time of a block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    # Closing waits for every connection, and a client may keep one open for long.
    server.daemon_threads = False
    proxy = Proxy(f"127.0.0.1:{server.server_address[1]}")
    _Handler.of[server.server_address[1]] = (proxy, registry)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        for connection in proxy.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    of: dict[int, tuple[Proxy, str]] = {}  # noqa: RUF012  by the port of the server

    def setup(self) -> None:
        """Take a connection."""
        super().setup()
        self.of[self.server.server_address[1]][0].connections.append(self.connection)  # type: ignore[index]

    def handle(self) -> None:
        """Serve a client until it has gone, or was killed."""
        with contextlib.suppress(ConnectionError):
            super().handle()

    def finish(self) -> None:
        """Leave the connection."""
        with contextlib.suppress(ConnectionError):
            super().finish()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    @contextlib.contextmanager
    def forward(self) -> Iterator[http.client.HTTPResponse]:
        """Hand the request to the registry, its body as it comes in; the answer is there for a block."""
        _, registry = self.of[self.server.server_address[1]]  # type: ignore[index]
        with contextlib.closing(http.client.HTTPConnection(registry, timeout=10)) as upstream:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                upstream.putheader(name, value)
            upstream.endheaders()
            for chunk in self.body():
                upstream.send(chunk)
            with upstream.getresponse() as response:
                yield response

    def body(self) -> Iterator[bytes]:
        """Read the request's body."""
        left = int(self.headers.get("Content-Length") or 0)
        while left:
            if not (chunk := self.rfile.read(min(left, _CHUNK))):
                raise ConnectionAbortedError("the client ended before its request did")
            left -= len(chunk)
            yield chunk

    def head(self, response: http.client.HTTPResponse) -> None:
        """Send the status and the headers of an answer."""
        self.send_response_only(response.status)
        for name, value in response.getheaders():
            self.send_header(name, value)
        self.end_headers()

    def reset(self) -> None:
        """Break the connection off, as a dying network device does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _do(self) -> None:
        proxy, _ = self.of[self.server.server_address[1]]  # type: ignore[index]
        time.sleep(proxy.delay)
        if fault := proxy.take(self.command, self.path):
            fault(self)
            return
        with self.forward() as response:
            self.head(response)
            while chunk := response.read(_CHUNK):
                self.wfile.write(chunk)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = _do  # noqa: N815


def answer(status: int, **headers: str) -> Fault:
    """Answer with a status and nothing else."""

    def fault(handler: _Handler) -> None:
        for _ in handler.body():
            pass
        handler.send_response_only(status)
        for name, value in (*headers.items(), ("Content-Length", "0")):
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()

    return fault


def reset_in_request(handler: _Handler) -> None:
    """Break off when half of the request's body has been read."""
    handler.rfile.read(int(handler.headers["Content-Length"]) // 2)
    handler.reset()


def reset_in_answer(handler: _Handler) -> None:
    """Break off when half of the answer's body has been sent."""
    with handler.forward() as response:
        body = response.read()
    handler.head(response)
    handler.wfile.write(body[: len(body) // 2])
    handler.wfile.flush()
    handler.reset()


def silence(seconds: float) -> Fault:
    """Say nothing for a while, and then nothing more."""

    def fault(handler: _Handler) -> None:
        time.sleep(seconds)
        handler.reset()

    return fault


def other_content(handler: _Handler) -> None:
    """Change the last byte of the answer's body."""
    with handler.forward() as response:
        body = response.read()
    handler.head(response)
    handler.wfile.write(body[:-1] + bytes([body[-1] ^ 1]))


def other_request(handler: _Handler) -> None:
    """Change the first byte of the request's body on its way to the registry."""
    whole = b"".join(handler.body())
    handler.body = lambda: iter((bytes([whole[0] ^ 1]), whole[1:]))  # type: ignore[method-assign]
    with handler.forward() as response:
        handler.head(response)
        handler.wfile.write(response.read())
