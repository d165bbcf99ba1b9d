"""An envelope says one thing of one image, or it is refused."""

import base64
import json
from typing import Any

import pytest

from pipeline.signing.envelope import read_predicate

TYPE = "https://in-toto.io/attestation/test-result/v0.1"
NAME, HEX = "registry.example/ska-base", "a" * 64
DIGEST = f"sha256:{HEX}"
SUBJECT = {"name": NAME, "digest": {"sha256": HEX}}
STATEMENT: dict[str, Any] = {
    "_type": "https://in-toto.io/Statement/v0.1",
    "predicateType": TYPE,
    "subject": [SUBJECT],
    "predicate": {"result": "PASSED"},
}
SIGNATURE = {"keyid": "", "sig": "c2ln"}


def envelope(payload: bytes | None = None, **differs: Any) -> bytes:
    """Return an envelope; its payload is STATEMENT by default."""
    encoded = base64.b64encode(json.dumps(STATEMENT).encode() if payload is None else payload).decode()
    document = {"payloadType": "application/vnd.in-toto+json", "payload": encoded, "signatures": [SIGNATURE]}
    return json.dumps({**document, **differs}).encode()


def stating(**differs: Any) -> bytes:
    return envelope(json.dumps({**STATEMENT, **differs}).encode())


def refused(line: bytes) -> str:
    with pytest.raises((ValueError, KeyError)) as caught:
        read_predicate(line, TYPE, NAME, DIGEST)
    return str(caught.value)


def test_the_predicate_of_one_image_is_read() -> None:
    assert read_predicate(envelope(), TYPE, NAME, DIGEST) == {"result": "PASSED"}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (envelope(payloadType="text/plain"), "its payload is 'text/plain'"),
        (envelope(signatures=[]), "it has 0 signatures"),
        (envelope(signatures=[SIGNATURE, SIGNATURE]), "it has 2 signatures"),
        (json.dumps({**json.loads(envelope()), "payload": "e30*"}).encode(), "not base64"),
        (stating(_type="https://in-toto.io/Statement/v9"), "its statement is"),
        (stating(predicateType="https://spdx.dev/Document"), "its predicate has the type 'https://spdx.dev/Document'"),
        (stating(subject=[]), "it is about nothing"),
        (stating(subject=[SUBJECT, {**SUBJECT, "name": "registry.example/other"}]), f"and not about {NAME} alone"),
        (stating(subject=[{**SUBJECT, "name": "registry.example/other"}]), "it is about registry.example/other@"),
        (stating(subject=[{**SUBJECT, "digest": {"sha256": "b" * 64}}]), f"and not about {NAME} alone"),
        (stating(subject=[{**SUBJECT, "digest": {"sha256": HEX, "sha512": "c"}}]), f"and not about {NAME} alone"),
        (stating(predicate="PASSED"), "a str where an object should be"),
        (envelope(b'{"_type": 1, "_type": 2}'), "names the member"),
        (b"[]", "a list where an object should be"),
    ],
)
def test_anything_else_is_refused(line: bytes, sentence: str) -> None:
    assert sentence in refused(line)
