"""What a registry answers is named, and only silence counts as a registry that cannot be reached."""

import contextlib
import re
import socket
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from embedded_engine.host.credentials import Credentials
from embedded_engine.host.errors import (
    CommandFailed,
    EngineError,
    ImageUnknown,
    PushFailed,
    RegistryFailed,
    RegistryRefused,
    RegistryUnreachable,
)
from embedded_engine.oci.skopeo import pull, push, resolve_digest

from tests.publish.proxy import answer as refuse
from tests.publish.proxy import proxied
from tests.publish.small_release import CREATED, write_archive
from tests.registry import free_address, running
from tests.registry_that_answers import RATE_LIMIT, answering
from tests.snapshot_service import make_certificate

DIGEST = "sha256:" + "a" * 64


async def answer(host: str, repository: str = "team/image") -> EngineError:
    """Return what comes of the question for an image."""
    with pytest.raises(EngineError) as caught:
        await resolve_digest(f"{host}/{repository}@{DIGEST}", Credentials())
    return caught.value


@pytest.mark.parametrize(
    ("status", "more", "kind", "words"),
    [
        (500, {}, RegistryFailed, r"\(received unexpected HTTP status: 500 Internal Server Error\); try again later"),
        (503, {}, RegistryFailed, r"\(received unexpected HTTP status: 503 Service Unavailable\); try again later"),
        (418, {}, RegistryFailed, r"\(StatusCode: 418, {}\); try again later"),
        (200, {"ping": 502}, RegistryFailed, r"502"),
        (401, {}, RegistryRefused, r"requires a login"),
        (403, {}, RegistryRefused, r"refuses .* to this user"),
        (404, {}, ImageUnknown, r"has no image"),
    ],
)
async def test_an_answer_is_named(status: int, more: dict[str, Any], kind: type[EngineError], words: str) -> None:
    with answering(status, **more) as host:
        error = await answer(host)
    assert type(error) is kind
    assert re.search(words, str(error)), str(error)


@pytest.mark.slow
@pytest.mark.parametrize("wait", ["0", "60"])
async def test_a_rate_limit_is_named_whether_the_registry_asks_to_wait_a_little_or_for_long(wait: str) -> None:
    with answering(429, headers={"Retry-After": wait}, document=RATE_LIMIT) as host:
        error = await answer(host)
    assert type(error) is RegistryFailed
    assert str(error).endswith("(429 Too Many Requests); wait, or log in with `skopeo login`.")


async def test_a_certificate_that_no_authority_vouches_for_is_named(tmp_path: Path) -> None:
    with answering(500, certificate=make_certificate(tmp_path / "tls"), host="127.0.0.2") as host:
        error = await answer(host)
    assert type(error) is RegistryFailed
    assert "x509: " in str(error)
    assert "add the certificate of its authority to those that this machine trusts" in str(error)


async def test_plain_http_where_tls_is_expected_is_an_answer() -> None:
    with answering(500, host="127.0.0.2") as host:
        assert type(await answer(host)) is RegistryFailed


@contextlib.contextmanager
def listening(*, closes: bool) -> Iterator[str]:
    """A port that takes connections and says nothing, or closes them at once."""
    with socket.create_server(("127.0.0.1", 0)) as server, contextlib.ExitStack() as open_ones:

        def take() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    connection.close() if closes else open_ones.callback(connection.close)

        thread = threading.Thread(target=take)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


async def test_a_connection_that_is_closed_at_once_is_an_answer() -> None:
    with listening(closes=True) as host:
        assert type(await answer(host)) is RegistryFailed


@pytest.mark.slow
async def test_a_port_that_says_nothing_cannot_be_reached() -> None:
    with listening(closes=False) as host:
        error = await answer(host)
    assert type(error) is RegistryUnreachable
    assert "(context deadline exceeded)" in str(error)


@pytest.mark.parametrize(
    ("host", "words"), [("127.0.0.1:9", r"connection refused"), ("registry.invalid", r"no such host|misbehaving")]
)
async def test_a_host_that_gives_no_answer_cannot_be_reached(host: str, words: str) -> None:
    error = await answer(host)
    assert type(error) is RegistryUnreachable
    assert re.search(words, str(error)), str(error)


async def test_the_words_of_an_image_s_name_are_no_answer() -> None:
    error = await answer(free_address(), "denied/unauthorized/not-found")
    assert type(error) is RegistryUnreachable


@pytest.mark.parametrize("tag", ["denied", "certificate"])
async def test_a_tag_is_no_answer(tag: str) -> None:
    with answering(503) as host, pytest.raises(RegistryFailed, match=r"try again later\.$"):
        await resolve_digest(f"{host}/team/image:{tag}", Credentials())


@pytest.mark.slow
async def test_the_tag_of_a_push_is_no_answer(tmp_path: Path) -> None:
    write_archive(tmp_path / "image.tar", [], {}, CREATED)
    with running(tmp_path) as registry, proxied(registry) as proxy:
        proxy.plan(refuse(503), "PUT", "/manifests/", times=10)
        with pytest.raises(PushFailed, match=r"503 Service Unavailable\); try again later\.$"):
            await push(tmp_path / "image.tar", f"{proxy.address}/team/image:denied", tmp_path, Credentials())


async def test_the_digits_of_a_port_are_no_answer() -> None:
    with answering(503, port=_free_port(range(42900, 43000))) as host:
        assert str(await answer(host)).endswith(
            "(received unexpected HTTP status: 503 Service Unavailable); try again later."
        )


def _free_port(ports: Iterable[int]) -> int:
    for port in ports:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("every port is taken")


async def test_an_answer_that_speaks_of_an_unknown_host_is_still_an_answer() -> None:
    text = 'pinging container registry x: Get "https://x/": dial tcp: lookup x: no such host'
    with answering(418, document={"errors": [{"code": "X", "message": text}]}) as host:
        assert type(await answer(host)) is RegistryFailed


async def test_a_registry_that_falls_silent_during_a_pull_has_answered(tmp_path: Path) -> None:
    with pytest.raises(RegistryFailed, match="connection refused"):
        await pull(f"{free_address()}/a/b:1", DIGEST, tmp_path / "layout", "linux/amd64", Credentials())


@pytest.mark.parametrize("proxy", ["http://user:c4nary@127.0.0.1:1", "http://user:c4nary@127.0.0.1:1x", "://c4nary@x"])
async def test_the_password_of_a_proxy_is_not_repeated(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    error = await answer("registry.invalid")
    assert "c4nary" not in str(error)


async def test_a_program_that_is_killed_is_no_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "skopeo"
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert type(await answer("registry.invalid")) is CommandFailed


@pytest.mark.slow
async def test_a_push_that_fails_has_an_error_of_its_own(tmp_path: Path) -> None:
    write_archive(tmp_path / "image.tar", [], {}, CREATED)
    with answering(418) as host, pytest.raises(PushFailed, match=f"The registry {host} did not take '{host}/a/b:1'"):
        await push(tmp_path / "image.tar", f"{host}/a/b:1", tmp_path, Credentials())
    address = f"{free_address()}/a/b:1"
    with pytest.raises(PushFailed, match=f"cannot be reached for '{address}'"):
        await push(tmp_path / "image.tar", address, tmp_path, Credentials())
