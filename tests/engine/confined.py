"""What the tests of confinement share: engines as root and as an ordinary user, and a host that notes who calls."""

import asyncio
import contextlib
import json
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import dagger
from embedded_engine.host.process import kill, spawn
from embedded_engine.session import Session

#: Hides the device of user-mode networks, so that steps share the machine's.
NO_TUN = "mount -t tmpfs none /dev/net"


@dataclass
class Listening:
    """Services of this machine's loopback.

    Args:
        port: of all of them; the abstract socket is called `ska-images-test-` and this number.
        heard: who came, and how.
    """

    port: int
    heard: list[str] = field(default_factory=list)


@contextlib.contextmanager
def listening() -> Iterator[Listening]:
    """Listen on the loopback, by TCP and UDP, and on an abstract socket, for the time of a block."""
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port: int = first.getsockname()[1]
        found = Listening(port)
        tcp6 = stack.enter_context(socket.create_server(("::1", port), family=socket.AF_INET6))
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind(f"\0ska-images-test-{port}")
        abstract.listen()
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", port))
        for one in (first, tcp6, abstract, udp):
            threading.Thread(target=_note, args=(one, found.heard), daemon=True).start()
        yield found
        for one in (first, tcp6, abstract):
            one.shutdown(socket.SHUT_RDWR)


def _note(one: socket.socket, heard: list[str]) -> None:
    with contextlib.suppress(OSError):
        while True:
            if one.type == socket.SOCK_DGRAM:
                heard.append(f"a datagram: {one.recv(100)!r}")
                continue
            caller, address = one.accept()
            heard.append(f"a connection from {address}")
            with caller:
                caller.sendall(b"host\n")


@contextlib.asynccontextmanager
async def session(words: Sequence[str], store: Path, *options: str) -> AsyncIterator[tuple[Session, list[str]]]:
    """Run an engine as any other program starts one, for the time of a block; also yields its notices."""
    argv = [*words, sys.executable, "-m", "tests.engine.confined", str(store), *options]
    process = await spawn(argv, stdin=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert process.stdin and process.stdout and process.stderr
    notices: list[str] = []
    try:
        line = await process.stdout.readline()
        assert line, (await process.stderr.read()).decode()
        greeting = json.loads(line)
        reading = asyncio.ensure_future(_notices(process.stdout, notices))
        yield Session(greeting["port"], greeting["session_token"]), notices
        process.stdin.close()
        await reading
    finally:
        process.stdin.close()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(process.wait(), 20)
        await kill(process)


async def _notices(stream: asyncio.StreamReader, notices: list[str]) -> None:
    while line := await stream.readline():
        notices.append(json.loads(line))


async def _serve(store: Path, host_services: Sequence[str]) -> None:
    from embedded_engine.host.process import stdin_ended
    from embedded_engine.session import open_session

    def tell(event: dict[str, object]) -> None:
        if event["event"] == "notice":
            print(json.dumps(event["text"]), flush=True)

    async with open_session(store=store, host_services=host_services, on_event=tell) as session:
        print(json.dumps({"port": session.port, "session_token": session.token}), flush=True)
        await stdin_ended()


def without_tun() -> list[str]:
    """Return the words that run a command of root's on a machine without the device of user-mode networks."""
    return ["unshare", "--mount", "--propagation", "private", "sh", "-euc", f'{NO_TUN}; exec "$@"', "sh"]


async def perl(container: dagger.Container, script: str, *words: str, privileged: bool = False) -> str:
    """Run a script of Perl, which every Debian has, in a step; return both streams."""
    command = [
        "perl",
        "-MTime::HiRes=ualarm",
        "-e",
        f"use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6); $| = 1; {script}",
        *words,
    ]
    return await container.with_exec(command, insecure_root_capabilities=privileged).combined_output()


#: Calls the engine with the right token: port, then Basic authorization.
CALLS_THE_ENGINE = """
    my ($port, $basic) = @ARGV;
    my $body = '{"query": "{host{file(path: \\\\"/etc/shadow\\\\"){contents}}}"}';
    for my $address ('127.0.0.1', '10.0.2.2', '10.0.2.3', '127.0.0.2') {
        socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
        eval { local $SIG{ALRM} = sub { die "late\\n" }; alarm 3;
            connect($s, sockaddr_in($port, inet_aton($address))) or die "$!\\n"; alarm 0 };
        if ($@) { print "$address: $@"; next }
        send $s, "POST /query HTTP/1.1\\r\\nHost: 127.0.0.1:$port\\r\\nAuthorization: Basic $basic\\r\\n"
            . "Content-Type: application/json\\r\\nConnection: close\\r\\nContent-Length: " . length($body)
            . "\\r\\n\\r\\n$body", 0;
        print "$address: ", <$s>, "\\n";
    }
"""

#: Tries every way to the loopback of the host: its port.
TRIES_THE_LOOPBACK = """
    my ($port) = @ARGV;
    for my $address ('127.0.0.1', '127.0.0.53', '10.0.2.2', '10.0.2.3', '10.0.2.255', '255.255.255.255', '::1') {
        for my $device ('', 'tap0') {
            my $family = $address =~ /:/ ? PF_INET6 : PF_INET;
            my $to = $family == PF_INET ? sockaddr_in($port, inet_aton($address))
                : pack_sockaddr_in6($port, inet_pton(PF_INET6, $address));
            for my $kind (SOCK_STREAM, SOCK_DGRAM) {
                socket(my $s, $family, $kind, 0) or die;
                setsockopt($s, SOL_SOCKET, SO_BROADCAST, pack('i', 1));
                setsockopt($s, SOL_SOCKET, 25, $device) or die "bind: $!" if $device;
                local $SIG{ALRM} = sub { die "late" };
                eval { ualarm 300_000; connect($s, $to) and print $s "hello\n"; ualarm 0 };
            }
        }
    }
    socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die;
    connect($s, pack_sockaddr_un("\\0ska-images-test-$port")) and print "reached the abstract socket\n";
    print "tried";
"""

if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), sys.argv[2:]))
