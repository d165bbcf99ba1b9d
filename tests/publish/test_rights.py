"""A right login without a right: the registry's own words, and advice that fits."""

from dataclasses import replace

import pytest

from pipeline.errors import RegistryError
from pipeline.registry.address import parse_address
from pipeline.registry.registry import open_registry
from pipeline.release.push import push_release
from pipeline.release.tags import Tags
from tests.publish.certificates import sign
from tests.publish.conftest import Maker
from tests.publish.hostile import Handler, behind_basic, hostile
from tests.publish.test_login import LOGIN, PASSWORD, USER, pushed, tls
from tests.publish.tokens import serving
from tests.registry import running

#: What Harbor answers to a robot account that may pull only; Harbor itself does not run here.
WORDS = "unauthorized to access repository: x/ska-base, action: push"


async def test_a_token_that_lets_nobody_push_is_no_wrong_password(
    tmp_path_factory: pytest.TempPathFactory, release: Maker
) -> None:
    directory = tmp_path_factory.mktemp("guarded")
    signed = sign(tmp_path_factory.mktemp("certificates"))
    with (
        serving(signed, (USER, PASSWORD), lifetime=60) as tokens,
        running(directory, tokens.auth, tls(signed)) as host,
    ):
        tokens.denied = frozenset({"push"})
        with pytest.raises(RegistryError, match=r"does not let the user 'publisher' do this .* ask its owner for the"):
            await pushed(host, replace(LOGIN, ca=signed.ca), release()[:1])


@pytest.mark.parametrize("status", [401, 403])
async def test_a_registry_says_in_its_own_words_what_a_user_may_not(release: Maker, status: int) -> None:
    def answer(handler: Handler) -> None:
        if handler.command == "GET":
            handler.reply(200 if handler.path == "/v2/" else 404)
        else:
            body = b'{"errors": [{"code": "UNAUTHORIZED", "message": "%s"}]}' % WORDS.encode()
            handler.reply(status, body, {"WWW-Authenticate": 'Basic realm="harbor"'} if status == 401 else None)

    with hostile(behind_basic(answer), None) as server:
        async with open_registry(parse_address(f"{server.host}/x"), LOGIN) as registry:
            with pytest.raises(RegistryError) as caught:
                await push_release(registry, Tags("1.0.0"), release()[:1])
    assert str(caught.value) == (
        f"The registry {server.host} does not let the user 'publisher' do this in x/ska-base ({status}: UNAUTHORIZED "
        f"{WORDS}); ask its owner for the right to push and pull there."
    )


async def test_a_wrong_password_is_still_one_in_a_registrys_own_words(release: Maker) -> None:
    def answer(handler: Handler) -> None:
        body = b'{"errors": [{"code": "UNAUTHORIZED", "message": "who are you?"}]}'
        handler.reply(401, body, {"WWW-Authenticate": 'Basic realm="harbor"'})

    with hostile(answer, None) as server:
        async with open_registry(parse_address(f"{server.host}/x"), LOGIN) as registry:
            with pytest.raises(RegistryError, match=r"\(401: UNAUTHORIZED who are you\?\); check --username and"):
                await push_release(registry, Tags("1.0.0"), release()[:1])
