"""Nobody without the token keeps the engine from answering, and what a client sends is bounded."""

import asyncio
import base64
import contextlib
import json
import os
import resource
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from embedded_engine import connections, server
from embedded_engine.api import Engine
from embedded_engine.make.evaluator import Evaluator
from embedded_engine.session import Session, open_session

from tests.clients import connected

TOKEN = "0" * 32
AUTHORIZATION = f"Authorization: Basic {base64.b64encode(f'{TOKEN}:'.encode()).decode()}\r\n"
HALF = "POST /query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le"
NOBODY = 65534

#: Opens connections, sends half a request on each, and holds them until its standard input ends.
CROWD = """
import resource, socket, sys
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
held = []
for _ in range(int(sys.argv[3])):
    held.append(socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60))
    held[-1].sendall(sys.argv[2].encode())
print("ready", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def crowd(port: int, user: int, count: int) -> Iterator[None]:
    """Hold half requests of a user open for the time of a block."""
    argv = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "/usr/bin/python3", "-c", CROWD]
    with subprocess.Popen(
        [*argv, str(port), HALF, str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout and process.stdin
        try:
            assert process.stdout.readline() == b"ready\n"
            yield
        finally:
            process.stdin.close()


@pytest.fixture
def few_files() -> Iterator[None]:
    """Let the processes that start now open as many files as Linux allows by default."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
@pytest.mark.parametrize("user", [os.geteuid(), NOBODY])
async def test_1200_half_requests_keep_no_query_from_its_answer(few_files: None, store: Path, user: int) -> None:
    async with open_session(store=store) as session:
        with crowd(session.port, user, 1200):
            for _ in range(3):
                assert await asyncio.wait_for(_contents(session), 60) == "x"


async def _contents(session: Session) -> str:
    async with connected(session) as client:
        return await client.directory().with_new_file("f", "x").file("f").contents()


@pytest_asyncio.fixture
async def port() -> AsyncIterator[int]:
    """Serve on a port what takes no file system."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    app = server.Server(Engine(cast(Evaluator, None), Path.cwd()), TOKEN)
    serving = asyncio.ensure_future(server.serve(app, listener, ended))
    yield listener.getsockname()[1]
    ended.set_result(None)
    await serving


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, text: str) -> None:
        """Send as it is."""
        self._writer.write(text.encode())
        await self._writer.drain()

    async def answer(self) -> tuple[int, dict[str, Any]]:
        """Return the status and the document of the next answer."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split()[0]) if "content-length:" in head else None
        body = await self._reader.readexactly(length) if length is not None else await self._chunks()
        return int(head.split()[1]), json.loads(body)

    async def _chunks(self) -> bytes:
        found = b""
        while size := int(await self._reader.readline(), 16):
            found += await self._reader.readexactly(size)
            await self._reader.readline()
        await self._reader.readline()
        return found

    async def ended(self) -> bool:
        """Wait for the end of the connection."""
        with contextlib.suppress(ConnectionError):
            while await self._reader.read(1 << 16):
                pass
        return True


@pytest_asyncio.fixture
async def opened(port: int) -> AsyncIterator[Callable[[], Any]]:
    """Return a function that opens a connection."""
    writers: list[asyncio.StreamWriter] = []

    async def connect() -> Client:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        return Client(reader, writer)

    yield connect
    for writer in writers:
        writer.close()


def request(body: str, length: int | None = None, authorization: str = AUTHORIZATION) -> str:
    """Return a request, which may say another length than it has."""
    size = len(body) if length is None else length
    return f"POST /query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {size}\r\n{authorization}\r\n{body}"


VERSION = json.dumps({"query": "{version}"})


async def test_a_connection_without_the_token_ends(opened: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "TIME_LIMIT", 0.1)
    for sent in ("", HALF, request(VERSION, 99, authorization="")):
        client = await opened()
        await client.send(sent)
        assert await client.ended()


@pytest.mark.slow
async def test_a_connection_with_the_token_stays(opened: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "TIME_LIMIT", 0.1)
    client = await opened()
    for _ in range(3):
        await client.send(request(VERSION))
        assert await client.answer() == (200, {"data": {"version": "v0.21.8"}})
        await asyncio.sleep(0.3)


async def test_a_wrong_token_ends_the_connection(opened: Callable[[], Any]) -> None:
    client = await opened()
    await client.send(request(VERSION, authorization="Authorization: Basic eDo=\r\n"))
    status, answer = await client.answer()
    assert (status, answer["errors"][0]["message"]) == (401, "The session token is missing or wrong.")
    assert await client.ended()


async def test_the_oldest_connection_makes_room_for_a_new_one(
    opened: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST_OWN", 2)
    first, _, _ = await opened(), await opened(), await opened()
    assert await first.ended()


async def test_connections_of_other_users_take_no_place_from_the_own_users(
    port: int, opened: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST_OWN", 2)
    monkeypatch.setattr(connections, "MOST_OTHERS", 1)
    client = await opened()
    await client.send(HALF)
    others = crowd(port, NOBODY, 20)
    await asyncio.to_thread(others.__enter__)
    await client.send(request(VERSION).removeprefix(HALF))
    assert await client.answer() == (200, {"data": {"version": "v0.21.8"}})
    await asyncio.to_thread(others.__exit__, None, None, None)


async def test_a_body_has_a_largest_size(opened: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LARGEST_BODY", 1000)
    client = await opened()
    await client.send(request("x" * 1001, 1 << 40))
    status, answer = await client.answer()
    assert (status, answer["errors"][0]["message"]) == (
        413,
        "The request has more than 1000 bytes; give large files as files of the host.",
    )
    assert await client.ended()


async def test_a_body_that_stops_is_given_up(opened: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "BODY_TIME_LIMIT", 0.1)
    client = await opened()
    await client.send(request("x", 100))
    status, answer = await client.answer()
    assert status == 413
    assert "stopped" in answer["errors"][0]["message"]
    assert await client.ended()


DEEP = 200_000
NO_QUERIES = {
    "nothing": b"",
    "no JSON": b"{",
    "not UTF-8": b'{"query":"\xff"}',
    "no object": b"null",
    "a number": b'{"query":5}',
    "arrays in arrays": b"[" * DEEP,
    "arrays in arrays, closed": b"[" * DEEP + b"]" * DEEP,
    "deep variables": b'{"query":"{version}","variables":{"a":' + b"[" * 101 + b"]" * 101 + b"}}",
    "variables that are a list": b'{"query":"{version}","variables":[]}',
    "an operation that is a number": b'{"query":"{version}","operationName":5}',
    "a name twice": b'{"query":"{version}","query":"{version}"}',
    "no number": b'{"query":"{version}","variables":{"a":NaN}}',
    "a long number": b'{"query":"{version}","variables":{"a":' + b"9" * 5000 + b"}}",
    "half a character": b'{"query":"{version}","variables":{"a":"\\ud800"}}',
    "a deep query": b'{"query":"' + b"{a" * DEEP + b'"}',
}


@pytest.mark.parametrize("case", NO_QUERIES)
async def test_what_is_no_query_is_refused_in_one_sentence(case: str) -> None:
    app = server.Server(Engine(cast(Evaluator, None), Path.cwd()), TOKEN)
    answer = await app.answer(NO_QUERIES[case])
    (error,) = answer["errors"]
    assert error["message"].startswith("The request is ")
    assert "\n" not in error["message"]
    assert error["extensions"]["code"] == "BAD_INPUT"
