"""Signed envelopes and the statements in them; anything that differs from what the pipeline writes is refused.

Sources: https://github.com/secure-systems-lab/dsse/blob/v1.0.2/envelope.md and
https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from pipeline.statement import TYPE, digest_set
from pipeline.strict import list_of, object_of, parse_json, text_of

_IN_TOTO = "application/vnd.in-toto+json"
#: cosign 2.5 still writes the first version, whose fields are the same.
_TYPES = (TYPE, "https://in-toto.io/Statement/v0.1")


def read_predicate(line: bytes, type_: str, repository: str, digest: str) -> Mapping[str, Any]:
    """Return the predicate of an envelope about one image.

    Args:
        line: the envelope; its signature has been verified.
        type_: the URI of the predicate's type.
        repository: the image's name with its registry.
        digest: the digest of the image's manifest, sha256:….

    Raises:
        ValueError, KeyError: it is not an envelope with one signature, its predicate has another type, or it is not
            about this image alone.
    """
    envelope = object_of(parse_json(line), "payloadType", "payload", "signatures")
    if envelope["payloadType"] != _IN_TOTO:
        raise ValueError(f"its payload is {envelope['payloadType']!r}")
    if (signatures := len(list_of(envelope["signatures"]))) != 1:
        raise ValueError(f"it has {signatures} signatures and not one")
    statement = _statement(text_of(envelope["payload"]))
    if statement["_type"] not in _TYPES:
        raise ValueError(f"its statement is {statement['_type']!r}")
    if statement["predicateType"] != type_:
        raise ValueError(f"its predicate has the type {statement['predicateType']!r}")
    subjects = [_subject(subject) for subject in list_of(statement["subject"])]
    if subjects != [(repository, digest_set(digest))]:
        names = ", ".join(f"{name}@{digests}" for name, digests in subjects)
        raise ValueError(f"it is about {names or 'nothing'}, and not about {repository} alone")
    return object_of(statement["predicate"])


def _statement(payload: str) -> Mapping[str, Any]:
    try:
        decoded = base64.b64decode(payload, validate=True)
    except binascii.Error as error:
        raise ValueError("its payload is not base64") from error
    return object_of(parse_json(decoded), "_type", "predicateType", "subject", "predicate")


def _subject(given: Any) -> tuple[str, Mapping[str, Any]]:
    subject = object_of(given, "name", "digest")
    return text_of(subject["name"]), object_of(subject["digest"])
