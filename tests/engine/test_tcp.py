"""The owner of a connection is known, from the kernel's answer and from its list."""

import os
import socket
from collections.abc import Callable

import pytest
from embedded_engine.host import tcp

BOTH = pytest.mark.parametrize("find", [tcp.connection, tcp.listed])
Find = Callable[[int, int], tcp.TcpEnd | None]


@BOTH
@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::ffff:127.0.0.1")], ids=["IPv4", "IPv6"]
)
def test_the_client_s_end_has_its_owner_and_its_socket(find: Find, family: int, address: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(family) as client:
        port = server.getsockname()[1]
        client.connect((address, port))
        inode = os.fstat(client.fileno()).st_ino
        assert find(client.getsockname()[1], port) == tcp.TcpEnd(os.getuid(), inode)


@BOTH
def test_a_closed_connection_has_no_owner(find: Find) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        own = client.getsockname()[1]
        client.close()
        assert find(own, port) is None


@BOTH
def test_a_connection_that_never_was_has_no_owner(find: Find) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert find(1, server.getsockname()[1]) is None


def test_without_the_kernel_s_answer_its_list_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            monkeypatch.setattr(tcp, "_NETLINK_SOCK_DIAG", 31)
            assert tcp.connection(client.getsockname()[1], port) == tcp.listed(client.getsockname()[1], port)
