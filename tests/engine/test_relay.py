"""Services of the host's loopback: which are meant, and how they come into a step's network."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from dagger import dag
from embedded_engine.host.errors import BadInput
from embedded_engine.host.relay import Relayed, Service, parse_services, relay
from embedded_engine.host.settings import named_services, read_host

from tests.clients import connected
from tests.engine.confined import listening, perl, session

V4, V6 = Service("127.0.0.1", 3128), Service("::1", 3128)


@pytest.mark.parametrize(
    ("text", "services"),
    [
        ("http://127.0.0.1:3128", (V4,)),
        ("http://user:p%40ss@localhost:3128/", (V4, V6)),
        ("127.0.0.1:3128", (V4,)),
        ("HTTPS://127.0.0.1/simple", (Service("127.0.0.1", 443),)),
        ("socks5h://[::1]:3128", (V6,)),
        ("index-url = http://127.0.0.9/simple\n", (Service("127.0.0.9", 80),)),
        ('Acquire::http::Proxy "http://127.0.0.1:3128";\n', (V4,)),
        ("deb [arch=amd64] http://localhost:3128/debian bookworm main\n", (V4, V6)),
        ("http://proxy.example:3128", ()),
        ("http://127.0.0.1.example:3128", ()),
        ("http://localhost.example:3128", ()),
        ("http://example/127.0.0.1:3128", ()),
        ("trusted-host = 127.0.0.1", ()),
        ("http://localhost:99999", ()),
        ("http://localhost:0", ()),
        ("http://127.0.0.300:3128", ()),
        ("localhost,127.0.0.1,.example", ()),
    ],
)
def test_the_services_of_the_loopback_that_a_text_names(text: str, services: tuple[Service, ...]) -> None:
    assert named_services(text) == services


async def test_the_proxy_of_the_environment_is_among_the_services(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:3128")
    assert V4 in (await read_host()).services


@pytest.mark.parametrize("text", ["127.0.0.1", "127.0.0.1:x", "127.0.0.1:0", "10.0.0.1:80", "example:80", ":80", "::1"])
def test_what_is_no_service_of_the_loopback_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=rf"'{text}' is not a service .* write it as 127.0.0.1:5000"):
        parse_services([text])


def test_services_are_read_as_they_are_written() -> None:
    assert parse_services(["127.0.0.1:3128", "[::1]:3128"]) == (V4, V6)


@contextlib.asynccontextmanager
async def _relaying(datagrams: bool = False) -> AsyncIterator[tuple[socket.socket, tuple[str, int]]]:
    """Yield the socket outside, which a test answers from, and the address inside."""
    kind = socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM
    outside, inside, listener = (socket.socket(socket.AF_INET, each) for each in (kind, kind, socket.SOCK_STREAM))
    for one in (outside, inside, listener):
        one.bind(("127.0.0.1", 0))
        one.setblocking(False)
    outside.listen() if not datagrams else None
    listener.listen()
    if not datagrams:
        inside.close()
    service = Service("127.0.0.1", outside.getsockname()[1])
    address = (inside if datagrams else listener).getsockname()
    task = asyncio.ensure_future(relay(Relayed(service, listener, inside if datagrams else None)))
    try:
        yield outside, address
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        outside.close()
    assert listener.fileno() == -1


async def test_connections_are_carried_both_ways_and_closed_as_they_are_closed() -> None:
    loop = asyncio.get_running_loop()
    async with _relaying() as (outside, address):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"question" * 100_000)
        writer.write_eof()
        accepted, _ = await loop.sock_accept(outside)
        asked = b""
        while piece := await loop.sock_recv(accepted, 1 << 16):
            asked += piece
        await loop.sock_sendall(accepted, b"answer")
        accepted.close()
        assert (asked, await reader.read()) == (b"question" * 100_000, b"answer")
        writer.close()


async def test_a_caller_is_hung_up_on_when_nobody_listens_outside() -> None:
    async with _relaying() as (outside, address):
        outside.close()
        reader, writer = await asyncio.open_connection(*address)
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()


async def test_questions_to_a_name_server_are_answered() -> None:
    loop = asyncio.get_running_loop()
    async with _relaying(datagrams=True) as (outside, address):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.setblocking(False)
            asker.connect(address)
            for word in (b"one", b"two"):
                asker.send(word)
                question, relay_address = await asyncio.to_thread(_receive, outside)
                outside.sendto(question.upper(), relay_address)
                assert await asyncio.wait_for(loop.sock_recv(asker, 100), 10) == word.upper()


def _receive(one: socket.socket) -> tuple[bytes, tuple[str, int]]:
    one.setblocking(True)
    one.settimeout(10)
    question, address = one.recvfrom(100)
    one.setblocking(False)
    return question, address


async def test_steps_reach_the_proxy_that_the_environment_names_and_a_service_that_was_given(
    store: Path, engine: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = """
        socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
        connect($s, sockaddr_in($ARGV[0], inet_aton('127.0.0.1'))) ? print <$s> : print "$!\n";
    """
    # The proxy below answers no request: the stand-in is made before.
    await dag.container().from_("bootstrap:auto").sync()
    with listening() as proxy, listening() as given, listening() as neither:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        async with session([], store, f"127.0.0.1:{given.port}") as (running, _), connected(running) as client:
            base = client.container().from_("bootstrap:auto")
            answers = [await perl(base, script, str(one.port)) for one in (proxy, given, neither)]
    assert answers == ["host\n", "host\n", "Connection refused\n"]
    assert not neither.heard
