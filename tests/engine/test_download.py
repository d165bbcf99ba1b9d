"""Files from the web: fetched from a real server on the loopback, and kept only with the right checksum."""

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import dagger
import pytest
from dagger import dag

CONTENT = b"a tool\n" * 1000
CHECKSUM = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


@pytest.fixture
def server(engine: object, tmp_path: Path) -> Iterator[str]:
    """A web server with one file."""
    (tmp_path / "tool.bin").write_bytes(CONTENT)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()


async def test_a_file_with_the_right_checksum_is_served_under_its_name(server: str) -> None:
    file = dag.http(f"{server}/tool.bin", checksum=CHECKSUM, permissions=0o755)
    assert (await file.name(), await file.size()) == ("tool.bin", len(CONTENT))
    assert await dag.directory().with_file("t", file).file("t").contents() == CONTENT.decode()


async def test_another_checksum_is_refused_with_both(server: str) -> None:
    other = "sha256:" + "0" * 64
    with pytest.raises(dagger.QueryError, match=rf"has the checksum {CHECKSUM}, and {other} was expected"):
        await dag.http(f"{server}/tool.bin", checksum=other).size()


async def test_a_file_that_is_not_there_is_named(server: str) -> None:
    with pytest.raises(dagger.QueryError, match=r"none.bin' cannot be fetched \(.*404") as caught:
        await dag.http(f"{server}/none.bin", checksum="sha256:" + "1" * 64).size()
    assert caught.value.error.extensions["code"] == "DOWNLOAD_FAILED"


async def test_a_server_that_does_not_answer_is_named(engine: object) -> None:
    with pytest.raises(dagger.QueryError, match="cannot be fetched"):
        await dag.http("http://127.0.0.1:1/x", checksum="sha256:" + "2" * 64).size()


async def test_a_file_without_a_checksum_is_refused(engine: object) -> None:
    with pytest.raises(dagger.QueryError, match="has no checksum to be known by"):
        await dag.http("http://127.0.0.1:1/x").size()


async def test_a_file_that_was_fetched_once_needs_no_server(server: str) -> None:
    await dag.http(f"{server}/tool.bin", checksum=CHECKSUM).size()
    assert await dag.http("http://127.0.0.1:1/tool.bin", checksum=CHECKSUM).size() == len(CONTENT)
