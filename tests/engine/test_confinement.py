"""A step is hostile: it reaches nothing of the host, neither by the network nor by the kernel."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import dagger
import pytest
import pytest_asyncio
from embedded_engine.session import Session

from tests.clients import connected
from tests.engine.confined import CALLS_THE_ENGINE, TRIES_THE_LOOPBACK, listening, perl, session
from tests.ordinary_user import OrdinaryUser


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["root", "user"])
async def running(
    request: pytest.FixtureRequest, engine: Session, user: OrdinaryUser, user_store: Path
) -> AsyncIterator[Session]:
    """An engine of root, and one of an ordinary user."""
    if request.param == "root":
        yield engine
        return
    async with user.session(user_store) as session:
        yield session


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def base(running: Session) -> AsyncIterator[dagger.Container]:
    """A small Debian."""
    async with connected(running) as client:
        yield client.container().from_("bootstrap:auto").with_env_variable("TEST", running.token[:8])


@pytest.mark.parametrize("privileged", [False, True])
async def test_a_step_reaches_no_service_of_the_hosts_loopback(base: dagger.Container, privileged: bool) -> None:
    with listening() as host:
        assert await perl(base, TRIES_THE_LOOPBACK, str(host.port), privileged=privileged) == "tried"
        assert host.heard == []


async def test_a_step_with_the_right_token_does_not_reach_the_engine(base: dagger.Container, running: Session) -> None:
    basic = base64.b64encode(f"{running.token}:".encode()).decode()
    answers = (await perl(base, CALLS_THE_ENGINE, str(running.port), basic)).splitlines()
    assert answers[0] == "127.0.0.1: Connection refused"
    assert [line.partition(": ")[0] for line in answers] == ["127.0.0.1", "10.0.2.2", "10.0.2.3", "127.0.0.2"]
    assert not any("HTTP" in line for line in answers)


async def test_a_step_does_not_listen_in_on_a_network(base: dagger.Container) -> None:
    # AF_PACKET and all protocols; AF_INET and raw.
    script = 'for my $f (17, 2) { socket(my $s, $f, 3, $f == 17 ? 768 : 1) or print "$!\n" }'
    assert await perl(base, script) == "Operation not permitted\n" * 2


async def test_a_step_reaches_neither_the_virtual_machines_host_nor_the_kernels_ciphers(base: dagger.Container) -> None:
    script = 'for my $family (40, 38) { socket(my $s, $family, SOCK_STREAM, 0) or print "$!\n" }'
    assert await perl(base, script) == "Operation not permitted\n" * 2


@pytest.mark.parametrize(
    "command",
    [
        ["unshare", "--user", "true"],
        ["unshare", "--mount", "true"],
        ["mount", "-t", "tmpfs", "none", "/mnt"],
        ["nsenter", "--net=/proc/1/ns/net", "true"],
        ["dmesg"],
    ],
    ids=lambda command: command[0] + command[1] if len(command) > 1 else command[0],
)
async def test_a_step_makes_no_namespaces_and_no_mounts(base: dagger.Container, command: list[str]) -> None:
    with pytest.raises(dagger.ExecError) as caught:
        await base.with_exec(command).sync()
    assert "ermitted" in caught.value.stderr or "denied" in caught.value.stderr or "must be" in caught.value.stderr


async def test_a_step_may_start_threads_and_processes(base: dagger.Container) -> None:
    assert await base.with_exec(["sh", "-c", "(echo one) | cat; echo two & wait"]).stdout() == "one\ntwo\n"


async def test_any_user_may_ping_and_listen_on_any_port(base: dagger.Container) -> None:
    script = """
        socket(my $echo, PF_INET, SOCK_DGRAM, 1) or die "ping: $!";
        send($echo, pack('CCnnn', 8, 0, 0, 0, 1), 0, sockaddr_in(0, inet_aton('127.0.0.1'))) or die "send: $!";
        recv($echo, my $answer, 100, 0);
        print 'type ', unpack('C', $answer), "\n";
        socket(my $web, PF_INET, SOCK_STREAM, 0) or die;
        print bind($web, sockaddr_in(80, INADDR_ANY)) ? "bound\n" : "$!\n";
    """
    assert await perl(base.with_user("nobody"), script) == "type 0\nbound\n"


async def test_a_step_sees_only_its_own_network_control_group_and_open_files(base: dagger.Container) -> None:
    async def out(script: str) -> str:
        return await base.with_exec(["sh", "-c", script]).stdout()

    assert await out("ls /sys/class/net") == "lo\ntap0\n"
    assert set((await out("sed 's/.*://' /proc/self/cgroup")).split()) == {"/"}
    # The last is that of the directory itself.
    assert await out("ls /proc/self/fd") == "0\n1\n2\n3\n"
    assert await out("cat /proc/keys /proc/interrupts /proc/timer_list") == ""


async def test_a_step_resolves_names(base: dagger.Container) -> None:
    assert "localhost" in await base.with_exec(["getent", "hosts", "127.0.0.1"]).stdout()
    here = Path("/etc/resolv.conf").read_text()
    assert await base.with_exec(["cat", "/etc/resolv.conf"]).stdout() == here


@pytest.mark.slow
async def test_pasta_serves_as_well_where_slirp4netns_is_missing(store: Path) -> None:
    hidden = 'mount --bind /dev/null "$(command -v slirp4netns)"; exec "$@"'
    words = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", hidden, "sh"]
    with listening() as host:
        async with session(words, store) as (running, notices), connected(running) as client:
            base = client.container().from_("bootstrap:auto").with_env_variable("TEST", running.token[:8])
            assert await perl(base, TRIES_THE_LOOPBACK, str(host.port)) == "tried"
            assert await base.with_exec(["ls", "/sys/class/net"]).stdout() == "lo\ntap0\n"
        assert host.heard == []
        assert set(notices) <= {"Waiting for another build …"}
