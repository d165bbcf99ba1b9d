"""What a registry may answer beside images, and Debian's docker-registry never does: a rate limit, a fault.

A stand-in for registries that are out of reach here, at the outermost edge: HTTP.
"""

import contextlib
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

#: https://distribution.github.io/distribution/spec/api/#errors
RATE_LIMIT = {"errors": [{"code": "TOOMANYREQUESTS", "message": "You have reached your pull rate limit."}]}


@contextlib.contextmanager
def answering(
    status: int,
    *,
    ping: int = 200,
    headers: Mapping[str, str] | None = None,
    document: Any = None,
    certificate: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[str]:
    """Run a registry for the time of a block: its host and port.

    Args:
        status: of every answer but the one to /v2/.
        ping: of the answer to /v2/.
        headers: of the former.
        document: the body of the former, as JSON.
        certificate: a directory with certificate.pem and key.pem, for TLS.
        host: an address of the loopback.
        port: where it listens; any that is free by default.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            is_ping = self.path == "/v2/"
            body = b"{}" if is_ping else json.dumps(document or {}).encode()
            self.send_response(ping if is_ping else status)
            for name, value in {} if is_ping else (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815

    with ThreadingHTTPServer((host, port), Handler) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"{host}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
