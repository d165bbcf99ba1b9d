"""A login goes to the host that it was given for, whatever that host says; hostile hosts are fakes."""

import base64
import hashlib
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import RegistryError
from pipeline.registry.access import Access
from pipeline.registry.address import parse_address
from pipeline.registry.manifest import Descriptor
from pipeline.registry.registry import open_registry
from pipeline.registry.repository import Repository
from pipeline.registry.transfer import InMemory
from tests.publish.certificates import Signed, sign
from tests.publish.conftest import NOBODY
from tests.publish.hostile import Answer, Handler, Hostile, behind_basic, hostile
from tests.publish.test_login import LOGIN, PASSWORD, USER

BASIC = f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
CONTENT = b"the content of a blob"
BLOB = Descriptor("application/octet-stream", f"sha256:{hashlib.sha256(CONTENT).hexdigest()}", len(CONTENT))


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    """A certificate of a private CA, good for every host of these tests."""
    return sign(tmp_path_factory.mktemp("certificates"))


@asynccontextmanager
async def repository(server: Hostile, signed: Signed, access: Access = LOGIN) -> AsyncIterator[Repository]:
    """A repository of a registry with TLS."""
    async with open_registry(parse_address(f"{server.host}/x"), replace(access, ca=signed.ca)) as registry:
        yield registry.repository("ska-base")


def accepting(handler: Handler) -> None:
    """Take everything."""
    handler.reply(200 if handler.command == "GET" else 201, CONTENT if handler.command == "GET" else b"")


def leading(status: int, location: str) -> Answer:
    """Lead every request elsewhere."""
    return lambda handler: handler.reply(status, headers={"Location": location})


async def test_an_upload_location_on_another_host_gets_no_login(signed: Signed) -> None:
    with hostile(accepting, signed) as other:
        lead = leading(202, f"{other.other_url}/upload")
        with hostile(behind_basic(lead), signed) as server:
            async with repository(server, signed) as one:
                await one.push_blob(BLOB, InMemory(CONTENT))
    assert server.logins == {None, BASIC}
    assert [(seen.method, seen.authorization) for seen in other.seen] == [("PUT", None)]


async def test_a_blob_that_lies_in_a_storage_is_read_there_without_a_login(signed: Signed) -> None:
    with hostile(accepting, signed) as storage:
        lead = leading(307, f"{storage.other_url}/bucket?signature=x")
        with hostile(behind_basic(lead), signed) as server:
            async with repository(server, signed) as one:
                assert await one.consume(BLOB, b"".join) == CONTENT
    assert storage.logins == {None}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_a_host_without_tls_is_refused(signed: Signed, status: int) -> None:
    with hostile(accepting, None) as plain:
        lead = leading(status, f"{plain.url}/v2/x")
        with hostile(behind_basic(lead), signed) as server:
            async with repository(server, signed) as one:
                with pytest.raises(RegistryError, match=rf"refers to {plain.url} .* give --plain-http"):
                    await one.manifest("1.0.0")
    assert plain.seen == []


async def test_a_registry_of_another_machine_leads_to_no_service_of_this_one() -> None:
    with hostile(accepting, None) as service, hostile(leading(307, f"{service.url}/v2/x"), None) as server:
        # Linux takes this address for the machine itself, and nobody else does for a name of it.
        host = f"0.0.0.0:{server.port}"
        access = replace(NOBODY, plain_http=frozenset({host}))
        async with open_registry(parse_address(f"{host}/x"), access) as registry:
            with pytest.raises(RegistryError, match=rf"refers to {service.url} .* without TLS"):
                await registry.repository("ska-base").manifest("1.0.0")
    assert service.seen == []


async def test_what_is_sent_follows_no_redirect_to_another_host(signed: Signed) -> None:
    with hostile(accepting, signed) as other:
        lead = leading(307, f"{other.other_url}/v2/x")
        with hostile(behind_basic(lead), signed) as server:
            async with repository(server, signed) as one:
                with pytest.raises(RegistryError, match=r"it redirects an upload to 0\.0\.0\.0 \(307\)"):
                    await one.push_blob(BLOB, InMemory(CONTENT))
    assert other.seen == []


async def test_a_next_page_on_another_host_is_refused(signed: Signed) -> None:
    with hostile(accepting, signed) as other:
        link = {"Link": f'<{other.other_url}/v2/next>; rel="next"'}
        with hostile(behind_basic(lambda handler: handler.reply_json({"tags": ["a"]}, link)), signed) as server:
            async with repository(server, signed) as one:
                with pytest.raises(RegistryError, match=r"its list continues at 0\.0\.0\.0"):
                    await one.tags()
    assert other.seen == []


async def test_a_location_with_a_login_of_its_own_is_refused(signed: Signed) -> None:
    with hostile(accepting, signed) as other:
        lead = leading(202, f"https://somebody:secret@0.0.0.0:{other.port}/upload")
        with hostile(lead, signed) as server:
            async with repository(server, signed) as one:
                with pytest.raises(RegistryError, match="not an HTTP URL"):
                    await one.push_blob(BLOB, InMemory(CONTENT))
    assert other.seen == []


async def test_a_registry_that_does_not_know_that_it_speaks_tls_is_asked_over_tls(signed: Signed) -> None:
    def answer(handler: Handler) -> None:
        host = handler.headers["Host"]
        handler.reply(202 if handler.command == "POST" else 201, headers={"Location": f"http://{host}/v2/upload"})

    with hostile(behind_basic(answer), signed) as server:
        async with repository(server, signed) as one:
            await one.push_blob(BLOB, InMemory(CONTENT))
    assert [seen.method for seen in server.seen] == ["POST", "POST", "PUT"]


async def test_a_login_of_the_users_netrc_goes_nowhere(
    signed: Signed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    netrc.chmod(stat.S_IRUSR)
    monkeypatch.setitem(os.environ, "HOME", str(tmp_path))
    monkeypatch.setitem(os.environ, "NETRC", str(netrc))
    with hostile(accepting, signed) as server:
        async with repository(server, signed, NOBODY) as one:
            assert await one.consume(BLOB, b"".join) == CONTENT
    assert server.logins == {None}


async def test_a_cookie_is_not_sent_back(signed: Signed) -> None:
    with hostile(lambda handler: handler.reply(404, headers={"Set-Cookie": "sid=1; Path=/"}), signed) as server:
        async with repository(server, signed) as one:
            assert await one.manifest("1.0.0") is None
            assert await one.manifest("1.0.0") is None
    assert {seen.cookie for seen in server.seen} == {None}


@pytest.mark.parametrize("reference", ["../../other/manifests/1", "1.0.0?x=y", "", "sha256:beef", "a b"])
async def test_a_reference_that_is_none_is_not_asked_for(signed: Signed, reference: str) -> None:
    with hostile(accepting, signed) as server:
        async with repository(server, signed) as one:
            with pytest.raises(RegistryError, match="neither a tag nor a digest"):
                await one.manifest(reference)
    assert server.seen == []
