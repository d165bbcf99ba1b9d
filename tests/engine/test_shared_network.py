"""A machine without user-mode networking: steps share its network, and still never call the engine."""

import base64
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import dagger
import pytest
import pytest_asyncio
from embedded_engine.host.peers import Callers
from embedded_engine.session import Session

from tests.clients import connected
from tests.engine.confined import CALLS_THE_ENGINE, NO_TUN, perl, session, without_tun
from tests.ordinary_user import OrdinaryUser

#: As curl would, from a process of its own.
_ASKS = """
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], b'{"query": "{version}"}', {"Authorization": f"Basic {sys.argv[2]}"})
print(urllib.request.urlopen(request).read().decode())
"""


@dataclass(frozen=True)
class Sharing:
    """An engine whose steps share this machine's network.

    Args:
        session: where it is.
        notices: what it told so far.
        base: a small Debian.
        is_root: whose engine it is.
    """

    session: Session
    notices: list[str]
    base: dagger.Container
    is_root: bool

    @property
    def basic(self) -> str:
        """What a client shows."""
        return base64.b64encode(f"{self.session.token}:".encode()).decode()


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["root", "user"])
async def sharing(
    request: pytest.FixtureRequest, store: Path, user: OrdinaryUser, user_store: Path
) -> AsyncIterator[Sharing]:
    """An engine of root, and one of an ordinary user."""
    is_root = request.param == "root"
    words = without_tun() if is_root else user.on(NO_TUN).words()
    async with (
        session(words, store if is_root else user_store) as (running, notices),
        connected(running) as client,
    ):
        base = client.container().from_("bootstrap:auto").with_env_variable("TEST", running.token[:8])
        yield Sharing(running, notices, base, is_root)


async def test_a_step_with_the_right_token_is_refused(sharing: Sharing) -> None:
    answers = await perl(sharing.base, CALLS_THE_ENGINE, str(sharing.session.port), sharing.basic)
    own, *_ = answers.split("10.0.2.2: ")
    assert own.startswith("127.0.0.1: HTTP/1.1 403 ")
    assert "No step may call the engine that runs it." in own
    assert "contents" not in answers


async def test_a_step_that_hangs_up_before_it_is_looked_for_is_refused(sharing: Sharing) -> None:
    target = f"/var/tmp/ska-images-escaped-{sharing.session.token[:8]}"
    query = json.dumps({"query": f'{{directory{{withNewFile(path:"f",contents:"x"){{export(path:"{target}")}}}}}}'})
    script = """
        my ($port, $basic, $body) = @ARGV;
        for (1 .. 20) {
            socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
            connect($s, sockaddr_in($port, inet_aton('127.0.0.1'))) or die "$!";
            send $s, "POST /query HTTP/1.1\\r\\nHost: 127.0.0.1:$port\\r\\nAuthorization: Basic $basic\\r\\n"
                . "Content-Length: " . length($body) . "\\r\\n\\r\\n$body", 0;
            close $s;
        }
        print 'sent';
    """
    assert await perl(sharing.base, script, str(sharing.session.port), sharing.basic, query) == "sent"
    assert await sharing.base.env_variable("TEST")  # the engine has gone on to the next request
    assert not Path(target).exists()


async def test_any_other_program_of_the_user_is_served(sharing: Sharing, user: OrdinaryUser) -> None:
    words = [] if sharing.is_root else user.words()
    address = f"http://127.0.0.1:{sharing.session.port}/query"
    done = subprocess.run(
        [*words, sys.executable, "-c", _ASKS, address, sharing.basic], capture_output=True, text=True, check=False
    )
    assert '"version"' in done.stdout, done.stderr


async def test_the_build_says_once_what_steps_share_and_what_brings_them_their_own(sharing: Sharing) -> None:
    for word in ("one", "two"):
        await sharing.base.with_exec(["true", word]).sync()
    (notice,) = sharing.notices
    assert notice.startswith("WARNING: Steps share this machine's network and can reach every service on it, because ")
    assert "/dev/net/tun" in notice
    assert "modprobe tun" in notice


async def test_all_else_that_confines_a_step_holds(sharing: Sharing) -> None:
    script = 'for my $f (17, 40) { socket(my $s, $f, 3, 0) or print "$!\n" } print syscall(250, 0, -3, 0)'
    assert await perl(sharing.base, script) == "Operation not permitted\n" * 2 + "-1"


async def test_a_privileged_step_does_not_listen_in_on_the_machines_network(sharing: Sharing) -> None:
    listens = 'socket(my $s, 17, 3, 768) or print "$!\n"'
    if sharing.is_root:
        with pytest.raises(dagger.QueryError, match=r"can listen in on the network that it shares .*modprobe tun"):
            await perl(sharing.base, listens, privileged=True)
    else:
        assert await perl(sharing.base, listens, privileged=True) == "Operation not permitted\n"


def test_a_process_of_another_namespace_is_told_from_one_of_this(tmp_path: Path) -> None:
    script = """
import socket, sys, time
client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
print(client.getsockname()[1], flush=True)
time.sleep(60)
"""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for words, allowed in (([], True), (["unshare", "--pid", "--fork", "--kill-child"], False)):
            argv = [*words, sys.executable, "-c", script, str(port)]
            with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout
                assert Callers(port).may_call(int(process.stdout.readline())) is allowed
                process.kill()


def test_a_caller_who_hung_up_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        own = client.getsockname()[1]
        assert Callers(port).may_call(own)
        accepted, _ = server.accept()
        client.close()
        assert not Callers(port).may_call(own)
        accepted.close()


def test_users_that_no_step_can_have_need_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Callers, "_processes", lambda _: iter(()))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            own = client.getsockname()[1]
            assert Callers(port, ((0, 100_000, 65536),)).may_call(own)
            assert not Callers(port, ((0, 0, 65536),)).may_call(own)
