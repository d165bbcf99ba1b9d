"""The network of a step: its own namespace, and a program that carries packets between it and the host's network.

Another namespace is between the step and the host; all steps of a session share it, and nothing listens there. A
carrier opens connections to any address, so a packet to 127.0.0.1 that a step sends through the carrier's device would
reach the host's loopback interface (slirp4netns --disable-host-loopback does not prevent it); here it reaches that of
the namespace in between. Sources: network_namespaces(7), slirp4netns(1), pasta(1).
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import shutil
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from embedded_engine.host import syscalls
from embedded_engine.host.errors import EngineError
from embedded_engine.host.process import kill, spawn
from embedded_engine.host.relay import Relayed, Service, bound, relay

#: Programs with user-mode networking, the preferred one first, with the command that starts each on a namespace.
CARRIERS = {
    "slirp4netns": (
        *("--configure", "--mtu=65520", "--disable-host-loopback", "--enable-sandbox", "--enable-seccomp"),
        "--netns-type=path",
    ),
    "pasta": (
        *("--foreground", "--quiet", "--config-net", "--no-map-gw", "--ns-ifname", "tap0", "--netns-only"),
        *("--runas", "0", "-t", "none", "-u", "none", "-T", "none", "-U", "none", "--netns"),
    ),
}
DEVICE = Path("/dev/net/tun")
#: Seconds for a carrier to start.
PATIENCE = 30.0
#: An unused address (RFC 5737); a socket can connect to it, without a packet, as soon as there is a route.
_SOMEWHERE = ("198.51.100.1", 9)
#: linux/sockios.h, linux/if.h
_SIOCSIFFLAGS, _UP = 0x8914, 1


class NoNetwork(EngineError):
    """Steps cannot have their own network on this machine; the text has the reason and the remedy."""


@dataclass
class Network:
    """A network namespace.

    Args:
        descriptor: the descriptor of the namespace, which lives as long as it is open.
        inside: a socket in the namespace.
        relayed: the services of the host's loopback interface in the namespace.
        own_sysfs: whether its own sysfs can be mounted.
    """

    descriptor: int
    inside: socket.socket
    relayed: Sequence[Relayed]
    own_sysfs: bool
    _carrier: asyncio.subprocess.Process | None = None
    _relays: "list[asyncio.Task[None]]" = field(default_factory=list)

    @property
    def path(self) -> str:
        """The path of the namespace for programs that the engine starts."""
        return f"/proc/{os.getpid()}/fd/{self.descriptor}"

    def has_route(self) -> bool:
        """Return whether packets can leave the namespace."""
        try:
            self.inside.connect(_SOMEWHERE)
        except OSError as error:
            if error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
                return False
            raise
        return True

    async def carry(self, program: str, outside: "Network | None") -> None:
        """Connect the namespace with another one, or with the host's.

        Args:
            program: one of CARRIERS.
            outside: the namespace of the program's own connections.

        Raises:
            NoNetwork: the program ended.
        """
        target = [] if program == "pasta" else ["tap0"]
        words = [program, *CARRIERS[program], f"/proc/self/fd/{self.descriptor}", *target]
        passed = [self.descriptor]
        if outside:
            words = ["nsenter", f"--net=/proc/self/fd/{outside.descriptor}", *words]
            passed.append(outside.descriptor)
        self._carrier = await spawn(words, pass_fds=passed)
        end = asyncio.get_running_loop().time() + PATIENCE
        while not self.has_route():
            if self._carrier.returncode is not None or asyncio.get_running_loop().time() > end:
                raise NoNetwork(f"{program} gave it no network ({await self._last_words()})")
            await asyncio.sleep(0.002)
        self._relays = [asyncio.get_running_loop().create_task(relay(one)) for one in self.relayed]

    async def _last_words(self) -> str:
        assert self._carrier  # noqa: S101  it was started
        await kill(self._carrier)
        out, err = await self._carrier.communicate()
        lines = (out + err).decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it printed nothing"

    async def close(self) -> None:
        """Remove the namespace; a step that is still in it loses its network."""
        for task in self._relays:
            task.cancel()
        await asyncio.gather(*self._relays, return_exceptions=True)
        self.inside.close()
        os.close(self.descriptor)
        if self._carrier:
            await kill(self._carrier)


async def made(services: Sequence[Service]) -> Network:
    """Create a network namespace in which only the loopback interface is up.

    Raises:
        OSError: the kernel refuses.
    """
    # A new thread, because it stays in that namespace until it ends.
    with ThreadPoolExecutor(1, "network") as thread:
        return await asyncio.get_running_loop().run_in_executor(thread, _made, services)


def _made(services: Sequence[Service]) -> Network:
    syscalls.own_network()
    inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    fcntl.ioctl(inside, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", _UP))
    relayed = [found for service in services if (found := bound(service))]
    own_sysfs = True
    try:
        syscalls.mount("sysfs", Path("/sys"), "")
    except OSError:  # a new sysfs would uncover the masked parts of /sys
        own_sysfs = False
    return Network(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC), inside, relayed, own_sysfs)


class StepNetworks:
    """The networks of a session's steps.

    Args:
        services: the services on the host's loopback interface that every step can reach.
    """

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = tuple(dict.fromkeys(services))
        self._program = ""
        self._between: Network | None = None
        self._spare: asyncio.Task[Network] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        #: The reason why steps share the host's network, with the remedy; empty if they do not.
        self.shared = ""

    async def begin(self) -> None:
        """Find out whether steps can have their own networks."""
        try:
            self._program = _program()
            self._between = await made(())
            await self._between.carry(self._program, None)
            self._spare = asyncio.ensure_future(self._new())
            await asyncio.shield(self._spare)
        except (NoNetwork, OSError) as error:
            await self.close()
            self.shared = str(error)

    async def _new(self) -> Network:
        network = await made(self._services)
        try:
            await network.carry(self._program, self._between)
        except BaseException:
            await network.close()
            raise
        return network

    @contextlib.asynccontextmanager
    async def own(self) -> AsyncIterator[Network | None]:
        """Yield a network for one step; None if steps share the host's.

        Raises:
            NoNetwork: the network cannot be created; the step never gets the host's instead.
        """
        if self.shared:
            yield None
            return
        # The next network is created while this step runs.
        taken, self._spare = self._spare, None
        try:
            network = await (taken or self._new())
        except OSError as error:
            raise NoNetwork(f"A step got no network of its own: {error}; run again.") from error
        self._spare = asyncio.ensure_future(self._new())
        try:
            yield network
        finally:
            closing = asyncio.ensure_future(network.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Remove all networks."""
        if self._spare:
            found = (await asyncio.gather(self._spare, return_exceptions=True))[0]
            if isinstance(found, Network):
                await found.close()
            self._spare = None
        await asyncio.gather(*self._closing)
        if self._between:
            await self._between.close()
            self._between = None


def _program() -> str:
    program = next(filter(shutil.which, CARRIERS), "")
    if not program:
        raise NoNetwork("neither slirp4netns nor pasta is installed; install one: apt-get install slirp4netns")
    try:
        os.close(os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC))
    except FileNotFoundError:
        raise NoNetwork(
            f"there is no {DEVICE}; load it with `sudo modprobe tun`, or pass it to this container"
        ) from None
    except PermissionError:
        raise NoNetwork(f"this user may not open {DEVICE}; allow it with `sudo chmod 0666 {DEVICE}`") from None
    return program
