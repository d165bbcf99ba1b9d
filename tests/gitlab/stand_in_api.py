"""A stand-in for GitLab's API of releases, since no GitLab runs here: what its own source answers to a job.

Source: https://docs.gitlab.com/api/releases/#create-a-release and, in GitLab, app/services/releases/create_service.rb
"""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

TOKEN = "glcbt-of-the-tests"  # noqa: S105
PROJECT = "4242"


@dataclass
class StandInApi:
    """GitLab's releases of one project.

    Attributes:
        address: CI_API_V4_URL of the jobs.
        releases: what was sent of each release, by its tag.
        requests: how many were made.
        is_allowed: whether the job's user may set the tag.
        broken: how many requests from now on are answered with 503.
    """

    address: str
    releases: dict[str, dict[str, str]] = field(default_factory=dict)
    requests: int = 0
    is_allowed: bool = True
    broken: int = 0

    def variables(self) -> dict[str, str]:
        """Return what a job gets of this."""
        return {"CI_API_V4_URL": self.address, "CI_PROJECT_ID": PROJECT, "CI_JOB_TOKEN": TOKEN}

    def create(self, path: str, token: str | None, sent: dict[str, str]) -> tuple[int, str]:
        """Answer a request for a release, in GitLab's order of checks."""
        self.requests += 1
        if self.broken:
            self.broken -= 1
            return 503, "Service Unavailable"
        if token != TOKEN:
            return 401, "401 Unauthorized"
        if path != f"/api/v4/projects/{PROJECT}/releases":
            return 404, "404 Not found"
        if not self.is_allowed:
            return 403, "You are not allowed to create this tag as it is protected."
        if sent["tag_name"] in self.releases:
            return 409, "Release already exists"
        self.releases[sent["tag_name"]] = sent
        return 201, ""


@contextlib.contextmanager
def stand_in_api() -> Iterator[StandInApi]:
    """Serve it on the loopback for the duration of a block."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            sent = {key: value for key, (value,) in parse_qs(body, strict_parsing=True).items()}
            status, message = api.create(self.path, self.headers["JOB-TOKEN"], sent)
            answer = json.dumps({"message": message} if message else sent).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        api = StandInApi(f"http://127.0.0.1:{listening.server_port}/api/v4")
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield api
        listening.shutdown()
        thread.join()
