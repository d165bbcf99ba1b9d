"""Makes services on the host's loopback interface available in the network of a step, at the same address.

A socket in the step's namespace accepts connections, and the engine, outside, relays them to the host's service. Only
the engine can create such sockets.
"""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from embedded_engine.host.errors import BadInput

#: Bytes to relay at a time.
_CHUNK = 1 << 16
#: The open connections and queries of one step to each service; others wait, or are lost.
_AT_A_TIME = 64
#: Seconds to wait for the answer to a datagram; resolv.conf(5) gives a server 30 at most.
_ANSWER = 30.0
DNS = 53

Connected = Callable[[socket.socket], Awaitable[None]]


@dataclass(frozen=True, order=True)
class Service:
    """A service on the host's loopback interface.

    Args:
        host: the address, as in 127.0.0.1 or ::1.
        port: the TCP port; 53 includes UDP.
    """

    host: str
    port: int

    @property
    def family(self) -> socket.AddressFamily:
        """The address family."""
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET


@dataclass(frozen=True)
class Relayed:
    """The sockets of a service inside a step's network.

    Args:
        service: the service outside.
        listener: the socket that accepts connections.
        datagrams: the socket that receives queries for a name server.
    """

    service: Service
    listener: socket.socket
    datagrams: socket.socket | None


def services_at(host: str, port: int) -> tuple[Service, ...]:
    """Return the loopback services that a host and a port mean; none for other hosts.

    Args:
        host: a name or an address, as in a URL; an IPv6 address without brackets.
        port: the TCP port.
    """
    if not 0 < port < 65536:
        return ()
    if host.lower() == "localhost":
        return Service("127.0.0.1", port), Service("::1", port)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ()
    return (Service(str(address), port),) if address.is_loopback else ()


def parse_services(texts: Iterable[str]) -> tuple[Service, ...]:
    """Parse HOST:PORT of a service on the loopback interface.

    Raises:
        BadInput: the host is another one.
    """
    found: list[Service] = []
    for text in texts:
        host, _, port = text.rpartition(":")
        services = services_at(host.strip("[]"), int(port)) if port.isascii() and port.isdigit() else ()
        if not services:
            raise BadInput(f"'{text}' is not a service on this machine's loopback; write it as 127.0.0.1:5000.")
        found += services
    return tuple(found)


def bound(service: Service) -> Relayed | None:
    """Return the sockets of a service in the network namespace of the calling thread.

    Returns:
        None if it has no such address; IPv6 may be disabled.
    """
    listener = datagrams = None
    try:
        listener = socket.create_server((service.host, service.port), family=service.family)
        if service.port == DNS:
            datagrams = socket.socket(service.family, socket.SOCK_DGRAM)
            datagrams.bind((service.host, service.port))
    except OSError:
        if listener:
            listener.close()
        if datagrams:
            datagrams.close()
        return None
    for one in filter(None, (listener, datagrams)):
        one.setblocking(False)
    return Relayed(service, listener, datagrams)


async def relay(relayed: Relayed) -> None:
    """Relay connections from inside to the service outside until cancelled, and then close the sockets."""
    under_way: set[asyncio.Task[None]] = set()
    try:
        await asyncio.gather(_connections(relayed, under_way), _questions(relayed, under_way))
    finally:
        for task in under_way:
            task.cancel()
        for one in filter(None, (relayed.listener, relayed.datagrams)):
            one.close()


def _started(under_way: "set[asyncio.Task[None]]", work: Awaitable[None], done: asyncio.Semaphore) -> None:
    async def watched() -> None:
        try:
            with contextlib.suppress(OSError):
                await work
        finally:
            done.release()

    task = asyncio.get_running_loop().create_task(watched())
    under_way.add(task)
    task.add_done_callback(under_way.discard)


async def _connections(relayed: Relayed, under_way: "set[asyncio.Task[None]]") -> None:
    loop, free = asyncio.get_running_loop(), asyncio.Semaphore(_AT_A_TIME)
    while True:
        await free.acquire()
        try:
            inside, _ = await loop.sock_accept(relayed.listener)
        except OSError:  # the peer hung up, or too many files are open
            free.release()
            await asyncio.sleep(0.05)
            continue
        _started(under_way, _carried(inside, relayed.service), free)


async def _carried(inside: socket.socket, service: Service) -> None:
    loop = asyncio.get_running_loop()
    with inside, socket.socket(service.family) as outside:
        for one in (inside, outside):
            one.setblocking(False)
        await loop.sock_connect(outside, (service.host, service.port))
        ways = [asyncio.ensure_future(_one_way(*ends)) for ends in ((inside, outside), (outside, inside))]
        try:
            await asyncio.gather(*ways)
        finally:
            for way in ways:
                way.cancel()


async def _one_way(source: socket.socket, target: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    while piece := await loop.sock_recv(source, _CHUNK):
        await loop.sock_sendall(target, piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


async def _questions(relayed: Relayed, under_way: "set[asyncio.Task[None]]") -> None:
    if relayed.datagrams is None:
        return
    free = asyncio.Semaphore(_AT_A_TIME)
    while True:
        await free.acquire()
        try:
            question, asker = await _received(relayed.datagrams)
        except OSError:
            free.release()
            await asyncio.sleep(0.05)
            continue
        _started(under_way, _answered(relayed.datagrams, question, asker, relayed.service), free)


async def _received(datagrams: socket.socket) -> tuple[bytes, Any]:
    await _readable(datagrams)
    return datagrams.recvfrom(_CHUNK)


async def _readable(one: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(one, _set, ready)
    try:
        await ready
    finally:
        loop.remove_reader(one)


def _set(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


async def _answered(datagrams: socket.socket, question: bytes, asker: Any, service: Service) -> None:
    loop = asyncio.get_running_loop()
    with socket.socket(service.family, socket.SOCK_DGRAM) as outside:
        outside.setblocking(False)
        outside.connect((service.host, service.port))
        outside.send(question)
        with contextlib.suppress(asyncio.TimeoutError):
            answer = await asyncio.wait_for(loop.sock_recv(outside, _CHUNK), _ANSWER)
            datagrams.sendto(answer, asker)
