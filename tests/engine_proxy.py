"""A way to the embedded engine that sees every request: what is asked, and how much at once."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Barrier, Lock, Thread
from typing import Any

from embedded_engine.session import Session

#: Seconds after which a request that waits for others gives up; only a fault takes that long.
PATIENCE = 300


@dataclass
class Traffic:
    """What went through.

    Args:
        port: where clients connect.
        queries: the text of each request, in order.
        peak: the largest number of requests that waited for their answers at one moment.
    """

    port: int = 0
    queries: list[str] = field(default_factory=list)
    peak: int = 0
    _under_way: int = 0
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def passing(self, query: str) -> Iterator[None]:
        """Count a request while it waits for its answer."""
        with self._lock:
            self.queries.append(query)
            self._under_way += 1
            self.peak = max(self.peak, self._under_way)
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1


def allow(_: str) -> str:
    """Let every query pass."""
    return ""


def refuse_current_module(query: str) -> str:
    """Refuse what Dagger's engine refuses to a client that is no module, in its words."""
    return "no current module: main client caller has no current module" if "currentModule" in query else ""


def gather(number: int, word: str) -> Callable[[str], str]:
    """Hold the first requests with a word back until so many of them are under way."""
    barrier = Barrier(number)
    lock, seen = Lock(), 0

    def wait(query: str) -> str:
        nonlocal seen
        with lock:
            held = word in query and seen < number
            seen += held
        if held:
            barrier.wait(PATIENCE)
        return ""

    return wait


@contextmanager
def engine_proxy(session: Session, first: Callable[[str], str]) -> Iterator[Traffic]:
    """Pass requests on to the engine.

    Args:
        session: the engine's.
        first: called with each query before it is passed on; the text that it returns is the answer's error.
    """
    traffic = Traffic()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            query: str = json.loads(body)["query"]
            with traffic.passing(query):
                error = first(query)
                answer = (
                    json.dumps({"data": None, "errors": [{"message": error}]}).encode() if error else self.ask(body)
                )
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def ask(self, body: bytes) -> bytes:
            connection = HTTPConnection("127.0.0.1", session.port)
            try:
                connection.request("POST", self.path, body, {"Authorization": self.headers["Authorization"]})
                return connection.getresponse().read()
            finally:
                connection.close()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 512

    with Server(("127.0.0.1", 0), Handler) as server:
        traffic.port = server.server_port
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield traffic
        finally:
            server.shutdown()
