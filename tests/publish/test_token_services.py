"""A token service gets a password only where it is on the registry's host, or named; hostile hosts are fakes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from pipeline.errors import RegistryError
from pipeline.registry.access import Access
from pipeline.registry.address import Address
from tests.publish.certificates import Signed, sign
from tests.publish.conftest import NOBODY
from tests.publish.hostile import Handler, Hostile, behind_basic, behind_token, hostile
from tests.publish.test_credentials import BASIC, BLOB, CONTENT, accepting, leading, repository
from tests.publish.test_login import LOGIN


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    """A certificate of a private CA, good for every host of these tests."""
    return sign(tmp_path_factory.mktemp("certificates"))


def granting(handler: Handler) -> None:
    """Give a token to everybody."""
    handler.reply_json({"token": "granted"})


@contextmanager
def named_elsewhere(signed: Signed) -> Iterator[tuple[Hostile, Hostile]]:
    """A token service, and a registry that names it as one of another host."""
    with hostile(granting, signed) as service:
        realm = f"{service.other_url}/token"
        with hostile(behind_token(realm, accepting), signed) as server:
            yield service, server


async def test_a_token_service_on_another_host_gets_no_password(signed: Signed) -> None:
    with (
        hostile(granting, signed) as service,
        hostile(behind_token(f"{service.other_url}/token", accepting), signed) as (server),
    ):
        async with repository(server, signed) as one:
            named = f"0.0.0.0:{service.port}"
            with pytest.raises(RegistryError, match=rf"sends logins to {named}, .*, give --token-host {named}\."):
                await one.consume(BLOB, b"".join)
    assert service.seen == []


async def test_a_token_service_that_the_user_named_gets_the_password_and_the_registry_the_token(
    signed: Signed,
) -> None:
    with (
        hostile(granting, signed) as service,
        hostile(behind_token(f"{service.other_url}/token", accepting), signed) as (server),
    ):
        access = replace(LOGIN, token_hosts=frozenset({f"0.0.0.0:{service.port}"}))
        async with repository(server, signed, access) as one:
            assert await one.consume(BLOB, b"".join) == CONTENT
    assert service.logins == {BASIC}
    assert server.logins == {None, "Bearer granted"}


async def test_a_token_service_on_another_host_serves_unknown_users(signed: Signed) -> None:
    with (
        hostile(granting, signed) as service,
        hostile(behind_token(f"{service.other_url}/token", accepting), signed) as (server),
    ):
        async with repository(server, signed, NOBODY) as one:
            assert await one.consume(BLOB, b"".join) == CONTENT
    assert service.logins == {None}


@pytest.mark.parametrize("access", [LOGIN, NOBODY], ids=["with a password", "without"])
async def test_a_token_service_without_tls_is_refused(signed: Signed, access: Access) -> None:
    with hostile(granting, None) as service, hostile(behind_token(f"{service.url}/token", accepting), signed) as server:
        async with repository(server, signed, access) as one:
            with pytest.raises(RegistryError, match=rf"refers to {service.url} .* without TLS"):
                await one.manifest("1.0.0")
    assert service.seen == []


async def test_a_host_that_a_redirect_leads_to_may_ask_for_no_login(signed: Signed) -> None:
    with (
        hostile(granting, signed) as service,
        hostile(behind_token(f"{service.url}/token", accepting), signed) as other,
    ):
        lead = leading(307, f"{other.other_url}/blob")
        with hostile(behind_basic(lead), signed) as server:
            async with repository(server, signed) as one:
                with pytest.raises(RegistryError, match="401"):
                    await one.consume(BLOB, b"".join)
    assert service.seen == []
    assert other.logins == {None}


@pytest.mark.parametrize("token", ["a\r\nX: y", "", 5, ["a"], "x" * (70 << 10)], ids=lambda token: str(token)[:8])
async def test_what_is_no_token_is_sent_nowhere(signed: Signed, token: object) -> None:
    def answer(handler: Handler) -> None:
        if handler.path.startswith("/token"):
            handler.reply_json({"token": token})
        else:
            realm = f"https://{handler.headers['Host']}/token"
            handler.reply(401, headers={"WWW-Authenticate": f'Bearer realm="{realm}"'})

    with hostile(answer, signed) as server:
        async with repository(server, signed) as one:
            with pytest.raises(RegistryError, match="sent an invalid response"):
                await one.manifest("1.0.0")
    assert server.logins == {None, BASIC}


@pytest.mark.parametrize(
    ("registry", "service", "allowed"),
    [
        ("harbor.example", "harbor.example", True),
        ("gitlab.example:5050", "gitlab.example", True),
        ("registry-1.docker.io", "auth.docker.io", True),
        ("registry.gitlab.com", "gitlab.com", True),
        ("registry.gitlab.com", "auth.docker.io", False),
        ("registry.gitlab.example", "gitlab.example", False),
        ("harbor.example", "harbor.example.evil.example", False),
        ("harbor.example", "evil.example", False),
    ],
)
def test_who_may_get_a_password_beside_the_registry(registry: str, service: str, allowed: bool) -> None:
    assert Access().allows_login_at(Address(registry), Address(service)) is allowed
