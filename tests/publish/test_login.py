"""Registries that want to know who asks, and that prove who they are."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from pipeline.errors import RegistryError
from pipeline.registry.access import Access
from pipeline.registry.address import parse_address
from pipeline.registry.registry import open_registry
from pipeline.release.push import Candidate, push_release
from pipeline.release.tags import Tags
from tests.publish.certificates import Signed, sign
from tests.publish.conftest import NOBODY, Maker, Running, digests, of
from tests.publish.tokens import serving
from tests.registry import running

USER, PASSWORD = "publisher", "swordfish-of-the-tests"
#: bcrypt of that password.
HTPASSWD = f"{USER}:$2b$05$abcdefghijklmnopqrstuuiometDhhC5KnDnkFbpxwkKtSWhJRnhK\n"
LOGIN = replace(NOBODY, username=USER, password=SecretStr(PASSWORD))
WRONG = replace(LOGIN, password=SecretStr("wrong"))


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    """A certificate of a private CA."""
    return sign(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def htpasswd(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The section of a configuration that wants a user and a password."""
    path = tmp_path_factory.mktemp("htpasswd") / "htpasswd"
    path.write_text(HTPASSWD)
    return f"auth: {{htpasswd: {{realm: test, path: {path}}}}}\n"


def tls(signed: Signed) -> str:
    """Return the keys of a configuration that make a registry speak TLS."""
    return f", tls: {{certificate: {signed.certificate}, key: {signed.key}}}"


@pytest.fixture(params=["plain", "tls"], scope="module")
def guarded(
    request: pytest.FixtureRequest, htpasswd: str, signed: Signed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path | None]]:
    """A registry that requires a login, without and with TLS, and the CA to trust."""
    secure = request.param == "tls"
    with running(tmp_path_factory.mktemp("guarded"), htpasswd, tls(signed) if secure else "") as host:
        yield host, signed.ca if secure else None


async def pushed(host: str, access: Access, images: list[Candidate]) -> dict[str, str]:
    """Push a release and return what the registry then has."""
    async with open_registry(parse_address(f"{host}/x"), access) as registry:
        await push_release(registry, Tags("1.0.0"), images)
        return await digests(registry, "1.0.0")


async def test_the_right_password_publishes(guarded: tuple[str, Path | None], release: Maker) -> None:
    host, ca = guarded
    images = release()
    assert await pushed(host, replace(LOGIN, ca=ca), images) == of(images)


async def test_a_wrong_password_is_a_definite_no(guarded: tuple[str, Path | None], release: Maker) -> None:
    host, ca = guarded
    with pytest.raises(
        RegistryError, match=r"refuses the login of the user 'publisher' \(401: UNAUTHORIZED auth"
    ) as caught:
        await pushed(host, replace(WRONG, ca=ca), release()[:1])
    assert not caught.value.passing


async def test_a_login_that_is_missing_is_asked_for(guarded: tuple[str, Path | None], release: Maker) -> None:
    host, ca = guarded
    with pytest.raises(
        RegistryError, match=r"requires a login for x/ska-base \(401: UNAUTHORIZED .*\); give --username"
    ):
        await pushed(host, replace(NOBODY, ca=ca), release()[:1])


async def test_a_certificate_of_an_unknown_ca_is_refused(signed: Signed, tmp_path: Path, release: Maker) -> None:
    with (
        running(tmp_path, http=tls(signed)) as host,
        pytest.raises(RegistryError, match=r"is not trusted \(.*\); give its CA with --ca FILE"),
    ):
        await pushed(host, NOBODY, release()[:1])


async def test_a_certificate_for_another_name_is_refused(signed: Signed, tmp_path: Path, release: Maker) -> None:
    with (
        running(tmp_path, http=tls(signed)) as host,
        pytest.raises(RegistryError, match="is not trusted"),
    ):
        await pushed(host.replace("127.0.0.1", "localhost"), replace(NOBODY, ca=signed.ca), release()[:1])


async def test_plain_http_to_another_machine_takes_consent(server: Running, path: str, release: Maker) -> None:
    # Linux takes this address for the machine itself, and nobody else does for a name of it.
    host = server.host.replace("127.0.0.1", "0.0.0.0")
    images = release()
    with pytest.raises(RegistryError, match=rf"speaks plain HTTP, .* give --plain-http {host}\."):
        await pushed(f"{host}/{path}", NOBODY, images)
    assert server.repositories(path) == set()
    consent = replace(NOBODY, plain_http=frozenset({host}))
    assert await pushed(f"{host}/{path}", consent, images) == of(images)


@pytest.fixture(scope="module")
def relative(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry that says only the paths of the places to upload to, as Harbor can."""
    with running(tmp_path_factory.mktemp("relative"), http=", relativeurls: true") as host:
        yield host


async def test_a_registry_may_say_paths_only(relative: str, release: Maker) -> None:
    images = release()
    assert await pushed(relative, NOBODY, images) == of(images)


async def test_a_token_service_is_asked_for_each_repository(signed: Signed, tmp_path: Path, release: Maker) -> None:
    images = release()
    with (
        serving(signed, (USER, PASSWORD), lifetime=60) as tokens,
        running(tmp_path, tokens.auth, tls(signed)) as host,
    ):
        assert await pushed(host, replace(LOGIN, ca=signed.ca), images) == of(images)
    repositories = {scope.split(":")[1] for scopes in tokens.given for scope in scopes}
    assert repositories == {f"x/{image.name}" for image in images}


async def test_a_token_that_has_expired_is_replaced(signed: Signed, tmp_path: Path, release: Maker) -> None:
    (image, *_) = release()
    with (
        serving(signed, (USER, PASSWORD), lifetime=2) as tokens,
        running(tmp_path, tokens.auth, tls(signed)) as host,
    ):
        async with (
            open_registry(parse_address(f"{host}/x"), replace(LOGIN, ca=signed.ca)) as registry,
            image.content() as content,
        ):
            repository = registry.repository(image.name)
            first, second, *_ = content.manifest.blobs
            await repository.push_blob(first, content.blobs[first.digest])
            asked = len(tokens.given)
            await asyncio.sleep(2.1)
            await repository.push_blob(second, content.blobs[second.digest])
            assert len(tokens.given) == asked + 1


async def test_a_token_service_that_refuses_a_password_is_a_definite_no(
    signed: Signed, tmp_path: Path, release: Maker
) -> None:
    with (
        serving(signed, (USER, PASSWORD), lifetime=60) as tokens,
        running(tmp_path, tokens.auth, tls(signed)) as host,
        pytest.raises(RegistryError, match=r"refuses the login of the user 'publisher' \(401\); check --username"),
    ):
        await pushed(host, replace(WRONG, ca=signed.ca), release()[:1])
    assert tokens.given == []


@pytest.mark.parametrize("access", [LOGIN, replace(LOGIN, username="")])
def test_a_password_is_in_no_text_of_an_access(access: Access) -> None:
    assert PASSWORD not in f"{access!r} {access}"


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "ftp://user:secret@127.0.0.1:9", "127.0.0.1:port"])
async def test_a_proxy_that_cannot_be_used_is_said(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(RegistryError, match=r"through the environment's proxy; write HTTPS_PROXY") as caught:
        async with open_registry(parse_address("registry.example"), NOBODY):
            pass
    assert "secret" not in str(caught.value)


async def test_certificates_that_cannot_be_read_are_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(RegistryError, match=r"cannot be read \(.*\); check --ca, SSL_CERT_FILE and SSL_CERT_DIR"):
        async with open_registry(parse_address("registry.example"), NOBODY):
            pass
