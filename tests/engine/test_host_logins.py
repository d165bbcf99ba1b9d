"""User and password of the host's proxies and sources: a bootstrap and a step use them, and nothing shows them."""

import base64
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cli.test_run import ROOT
from tests.conftest import SCRATCH

pytestmark = pytest.mark.slow

#: What no argument, file, or word of output may hold.
PROXY, SOURCE, INDEX = "c4nary-of-the-proxy", "c4nary-of-the-source", "c4nary-of-the-index"
#: A program that polls the arguments of all processes until its standard input ends, and prints those with a canary.
WATCH = """
import os, pathlib, select, sys
found = set()
while not select.select([sys.stdin], [], [], 0.005)[0]:
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes()
        except OSError:
            continue
        if b"c4" + b"nary" in words:
            found.add(words.replace(b"\\0", b" "))
        elif b"mmdebstrap" in words:
            found.add(b"mmdebstrap was seen")
print(*sorted(text.decode() for text in found), sep="\\n")
"""


#: Makes a stand-in and runs a script on it; in a process of its own, whose engine reads the settings anew.
CALL = """
import asyncio, pathlib, sys
from dagger import dag
from dagger.client._session import ConnectParams, SharedConnection
from embedded_engine.session import open_session

async def main(store, script):
    async with open_session(store=pathlib.Path(store), on_event=print) as session:
        parameters = ConnectParams(port=session.port, session_token=session.token)
        async with SharedConnection().with_params(parameters):
            base = dag.container().from_("bootstrap:auto")
            print(await base.file("/etc/apt/sources.list").contents())
            print(await base.with_exec(["sh", "-euxc", script]).combined_output())

asyncio.run(main(*sys.argv[1:]))
"""
#: apt asks the mirror with both logins, and what it and the bootstrap have left holds neither.
STEP = """
test -s "$PIP_CONFIG_FILE"
test "$(stat -c %a:%u /run/embedded-engine-host/auth.conf)" = 600:0
apt-get update
if grep -rls 'c4[n]ary' /etc /var /usr /root /tmp; then exit 1; fi
"""


def basic(password: str) -> str:
    return f"Basic {base64.b64encode(f'user:{password}'.encode()).decode()}"


@dataclass
class Mirror:
    """A proxy of the loopback that requires a login, and gives out this machine's own archives to a second login.

    Args:
        port: where it listens.
        refused: what was asked without one of the two.
        given: how many files were.
    """

    port: int = 0
    refused: list[str] = field(default_factory=list)
    given: int = 0


@contextlib.contextmanager
def mirror(upstream: dict[str, str]) -> Iterator[Mirror]:
    """Run it for the time of a block.

    Args:
        upstream: the addresses of this machine's sources by the name of the mirror's directory.
    """
    running = Mirror()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def log_message(self, *_: object) -> None:
            pass

        def answer(self, code: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            if self.headers["Proxy-Authorization"] != basic(PROXY):
                running.refused.append(self.path)
                self.answer(407, Proxy_Authenticate='Basic realm="proxy"')
            elif self.headers["Authorization"] != basic(SOURCE):
                running.refused.append(self.path)
                self.answer(401, WWW_Authenticate='Basic realm="source"')
            else:
                running.given += 1
                self.pass_on()

        def pass_on(self) -> None:
            _, directory, path = urlsplit(self.path).path.split("/", 2)
            try:
                with urllib.request.urlopen(f"{upstream[directory]}/{path}", timeout=60) as answer:  # noqa: S310
                    body = answer.read()
            except OSError:
                self.answer(404)
                return
            self.answer(200, body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        running.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join()


def own_sources() -> list[tuple[str, str, str]]:
    """Return address, suite and key of this machine's sources of its distribution's main component."""
    form = "$(COMPONENT)|$(REPO_URI)|$(RELEASE)|$(SIGNED_BY)"
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", form, "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows = [line.split("|") for line in dict.fromkeys(listed.splitlines())]
    return [(uri.rstrip("/"), suite, key) for component, uri, suite, key in rows if component == "main"]


@dataclass(frozen=True)
class Done:
    """What a bootstrap left: the store, what the command printed, and what was seen of processes meanwhile."""

    store: Path
    output: str
    seen: str
    mirror: Mirror


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    """A stand-in and a step on it, from sources and through a proxy that both want a login."""
    directory = tmp_path_factory.mktemp("logins")
    sources = own_sources()
    names = {uri: f"archive{number}" for number, uri in enumerate(dict.fromkeys(uri for uri, _, _ in sources))}
    with mirror({name: uri for uri, name in names.items()}) as running:
        url = "http://user:{}@mirror.invalid"
        lines = [
            f"deb {f'[signed-by={key}] ' * key.startswith('/')}{url.format(SOURCE)}/{names[uri]} {suite} main\n"
            for uri, suite, key in sources
        ]
        (directory / "sources.list").write_text("".join(lines))
        (directory / "lists").mkdir()
        (directory / "apt.conf").write_text(
            f'Dir::Etc::SourceList "{directory}/sources.list"; Dir::Etc::SourceParts "-";\n'
            f'Dir::State::Lists "{directory}/lists";\n'
            f'Acquire::http::Proxy "http://user:{PROXY}@127.0.0.1:{running.port}";\nAcquire::Retries "0";\n'
        )
        (directory / "pip.conf").write_text(f"[global]\nindex-url = http://user:{INDEX}@127.0.0.1:1/simple\n")
        store = Path(tempfile.mkdtemp(prefix="ska-images-logins-", dir=SCRATCH))
        variables = {
            "APT_CONFIG": str(directory / "apt.conf"),
            "PIP_CONFIG_FILE": str(directory / "pip.conf"),
            "NO_PROXY": "",
            "no_proxy": "",
        }
        watch = [sys.executable, "-c", WATCH]
        watching = subprocess.Popen(watch, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        run = subprocess.run(
            [sys.executable, "-c", CALL, str(store), STEP],
            cwd=ROOT,
            env=os.environ | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        seen, _ = watching.communicate("")
        assert run.returncode == 0, run.stdout
        yield Done(store, run.stdout, seen, running)
        shutil.rmtree(store)


def test_the_bootstrap_and_the_step_use_both_logins(done: Done) -> None:
    assert done.mirror.given > 50
    assert done.mirror.refused == []


def test_no_argument_of_a_process_holds_a_password(done: Done) -> None:
    assert done.seen == "mmdebstrap was seen\n"


def test_nothing_that_is_printed_holds_a_password(done: Done) -> None:
    assert "apt-get update" in done.output
    assert "c4nary" not in done.output


def test_the_stand_in_names_its_sources_without_the_login(done: Done) -> None:
    assert "http://mirror.invalid/archive0" in done.output
    assert "user:" not in done.output


def test_no_file_of_the_store_holds_a_password(done: Done) -> None:
    found = subprocess.run(["grep", "-rls", "c4nary", done.store], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (1, "")
