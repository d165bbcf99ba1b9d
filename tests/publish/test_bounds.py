"""What a registry answers is bounded in size, depth, number and time; one sentence says so. Hostile ones are fakes."""

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from pipeline.errors import RegistryError
from pipeline.registry.access import Access, Patience
from pipeline.registry.address import parse_address
from pipeline.registry.manifest import CONFIG, IMAGE, Descriptor, Manifest, digest_of
from pipeline.registry.registry import Registry, open_registry
from pipeline.registry.repository import Repository
from pipeline.registry.transfer import InMemory
from pipeline.release.published import find_published
from pipeline.strict import DEEPEST, parse_object
from tests.publish.hostile import Answer, Handler, Hostile, hostile
from tests.publish.small_release import BOTTOM

ACCESS = Access(patience=Patience(attempts=1))
#: One attempt of at most two seconds.
SHORT = Access(patience=Patience(attempts=1, whole=2, slowest=1 << 20))
MIB = 1 << 20


@asynccontextmanager
async def repository(server: Hostile, access: Access) -> AsyncIterator[Repository]:
    """A repository of a registry without TLS."""
    async with open_registry(parse_address(f"{server.host}/x"), access) as registry:
        yield registry.repository("ska-base")


async def refusal(answer: Answer, ask: Callable[[Repository], Any], access: Access = ACCESS) -> tuple[str, Hostile]:
    """Ask a registry, and return why its answer is refused: in one line, as an error for the user."""
    with hostile(answer, None) as server:
        async with repository(server, access) as one:
            with pytest.raises(RegistryError) as caught:
                await ask(one)
    assert caught.value.exit_code == 2
    assert str(caught.value).isprintable()
    return str(caught.value), server


def slowly(handler: Handler) -> None:
    """Answer a byte at a time, always in time."""
    handler.endless(200, b" ", lambda: time.sleep(0.2))


def slow_headers(handler: Handler) -> None:
    """Do the same before the body begins."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for _ in range(100):
        handler.wfile.write(b"a")
        time.sleep(0.2)


QUESTIONS: dict[str, Callable[[Repository], Any]] = {
    "manifest": lambda one: one.manifest("1.0.0"),
    "tags": lambda one: one.tags(),
    "configuration": lambda one: one.document(Descriptor("x", "sha256:" + "0" * 64, 5 * MIB)),
}


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)
async def test_a_document_of_more_than_4_mib_is_not_read_to_its_end(ask: Callable[[Repository], Any]) -> None:
    message, server = await refusal(lambda handler: handler.endless(200, b" " * MIB), ask)
    assert "it has more than 4194304 bytes" in message
    assert server.sent < 16 * MIB


@pytest.mark.parametrize(
    "ask",
    [lambda one, blob: one.consume(blob, b"".join), lambda one, blob: one.document(blob)],
    ids=["layer", "configuration"],
)
async def test_a_size_that_no_blob_has_is_not_asked_for(ask: Callable[[Repository, Descriptor], Any]) -> None:
    blob = Descriptor("x", "sha256:" + "0" * 64, 1 << 60)
    message, server = await refusal(slowly, lambda one: ask(one, blob))
    assert "it has more than" in message
    assert server.seen == []


async def test_an_error_of_any_size_is_not_read_to_its_end() -> None:
    message, server = await refusal(lambda handler: handler.endless(403, b" " * MIB), QUESTIONS["manifest"])
    assert "(403)" in message
    assert server.sent < 16 * MIB


async def test_a_blob_of_another_size_is_not_read_to_its_end() -> None:
    blob = Descriptor("x", "sha256:" + "0" * 64, 5)
    message, server = await refusal(
        lambda handler: handler.endless(200, bytes(MIB)), lambda one: one.consume(blob, lambda chunks: [*chunks])
    )
    assert "sent content" in message
    assert server.sent < 16 * MIB


@pytest.mark.slow
@pytest.mark.parametrize("answer", [slowly, slow_headers])
async def test_an_answer_that_drips_ends(answer: Answer) -> None:
    message, _ = await refusal(answer, QUESTIONS["manifest"], SHORT)
    assert "did not complete its response" in message


@pytest.mark.slow
async def test_a_blob_that_drips_ends() -> None:
    blob = Descriptor("x", "sha256:" + "0" * 64, MIB)
    message, _ = await refusal(slowly, lambda one: one.consume(blob, b"".join), SHORT)
    assert "did not complete its response" in message


@pytest.mark.parametrize(
    "following", ["/v2/x/ska-base/tags/list?last=a", "/v2/x/ska-base/tags/list?last={}"], ids=["again", "always new"]
)
async def test_a_list_of_tags_without_an_end_is_refused(following: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.registry.pages._MOST_PAGES", 20)

    def answer(handler: Handler) -> None:
        link = following.format(len(handler.hostile.seen))
        handler.reply_json({"tags": ["a"]}, {"Link": f'<{link}>; rel="next"'})

    message, server = await refusal(answer, QUESTIONS["tags"])
    assert "its list of tags does not end" in message
    assert len(server.seen) <= 20


@pytest.mark.parametrize(
    ("body", "clause"),
    [
        (b"[" * 100_000, "nested more than 64 deep"),
        (b'{"mediaType": "a", "mediaType": "b"}', "names the member 'mediaType' twice"),
        (b'{"size": NaN}', "NaN is not a number"),
        (b'{"size": 1' + b"0" * 10_000 + b"}", "sent an invalid response"),
        (b'{"a": "\\ud800"}', "not JSON in UTF-8"),
        (b"\xff{}", "not JSON in UTF-8"),
        (b"[]", "not a JSON object"),
        (b"<html>\x1b[31m", "not JSON in UTF-8"),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_a_manifest_that_is_not_plain_json_is_refused(body: bytes, clause: str) -> None:
    message, _ = await refusal(lambda handler: handler.reply(200, body), QUESTIONS["manifest"])
    assert clause in message


@pytest.mark.parametrize("tags", [{"tags": "abc"}, {"tags": [1]}, {"tags": ["../x"]}, {"tags": {"a": "b"}}])
async def test_a_list_of_tags_of_another_type_is_refused(tags: object) -> None:
    message, _ = await refusal(lambda handler: handler.reply_json(tags), QUESTIONS["tags"])
    assert "its tags are not a list of tags" in message


async def test_the_words_of_an_error_are_short_and_printable() -> None:
    words = "\x1b]0;title\x07\nverified " + "x" * 10_000
    message, _ = await refusal(
        lambda handler: handler.reply(400, json.dumps({"errors": [{"code": "A", "message": words}]}).encode()),
        QUESTIONS["manifest"],
    )
    assert "(400: A ]0;titleverified xxx" in message
    assert len(message) < 600


def test_brackets_in_strings_do_not_nest() -> None:
    deep = "[" * 10 * DEEPEST
    assert parse_object(json.dumps({"a": deep, "b": '"' + deep, "c": deep + "\\"}).encode(), MIB)["a"] == deep


def test_a_member_that_is_null_is_absent() -> None:
    assert parse_object(b'{"a": null, "b": {"c": null}}', 100) == {"b": {}}


async def put(one: Repository, config: object) -> None:
    """Put an image with a configuration into a real registry, as 1.0.0."""
    blobs = [(BOTTOM, "application/vnd.oci.image.layer.v1.tar+gzip"), (json.dumps(config).encode(), CONFIG)]
    layer, own = [Descriptor(media_type, digest_of(raw), len(raw)) for raw, media_type in blobs]
    for blob, (raw, _) in zip((layer, own), blobs, strict=True):
        await one.push_blob(blob, InMemory(raw))
    described = [{"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size} for blob in (layer, own)]
    document = {"schemaVersion": 2, "mediaType": IMAGE, "config": described[1], "layers": described[:1]}
    await one.push_manifest("1.0.0", Manifest(json.dumps(document).encode()))


PLAIN = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": [digest_of(b"")]}}


@pytest.mark.parametrize(
    ("config", "clause"),
    [
        ({**PLAIN, "config": "text"}, "a str where an object should be"),
        ({**PLAIN, "config": {"Labels": ["a"]}}, "a list where an object should be"),
        ({**PLAIN, "config": {"Labels": {"int.skao.image.version": 5}}}, "a int where a text should be"),
        ({**PLAIN, "rootfs": []}, "a list where an object should be"),
        ({**PLAIN, "rootfs": {"diff_ids": ["sha256:beef"]}}, "names a layer without a digest"),
        ({**PLAIN, "architecture": 5}, "a int where a text should be"),
        ([], "it is not a JSON object"),
    ],
    ids=lambda value: str(value)[-60:],
)
async def test_a_configuration_of_other_types_is_refused(registry: Registry, config: object, clause: str) -> None:
    one = registry.repository("ska-python")
    await put(one, config)
    with pytest.raises(RegistryError) as caught:
        await find_published(one, "1.0.0")
    assert clause in str(caught.value)


@pytest.mark.parametrize("config", [{"config": None}, {"config": {"Labels": None}}, {"config": {}}, {}])
async def test_a_configuration_without_labels_has_none(registry: Registry, config: dict[str, object]) -> None:
    one = registry.repository("ska-python")
    await put(one, {**PLAIN, **config})
    image = await find_published(one, "1.0.0")
    assert image and image.labels == {}


def test_a_blob_may_take_as_long_as_its_size_needs() -> None:
    assert replace(Patience(), whole=10, slowest=100).limit(1000) == 20
