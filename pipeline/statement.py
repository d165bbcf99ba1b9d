"""Statements about images in in-toto's form: https://github.com/in-toto/attestation/tree/main/spec/v1"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TYPE = "https://in-toto.io/Statement/v1"


@dataclass(frozen=True)
class Predicate:
    """The content of a statement.

    Args:
        type: the URI of the predicate's type.
        content: the predicate, for JSON.
    """

    type: str
    content: Mapping[str, Any]

    def encoded(self) -> bytes:
        """Return the content as JSON in UTF-8, for cosign."""
        return json.dumps(self.content, indent=2, ensure_ascii=False).encode()


@dataclass(frozen=True)
class Statement:
    """A predicate about one image.

    Args:
        subject: the image's name in its registry, without a tag.
        digest: the digest of its manifest, sha256:….
        predicate: the predicate.
    """

    subject: str
    digest: str
    predicate: Predicate

    def render(self) -> str:
        """Return the whole statement as JSON."""
        document = {
            "_type": TYPE,
            "subject": [{"name": self.subject, "digest": digest_set(self.digest)}],
            "predicateType": self.predicate.type,
            "predicate": self.predicate.content,
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def digest_set(digest: str) -> dict[str, str]:
    """Return a digest, written ALGORITHM:HEXADECIMAL, in in-toto's form."""
    algorithm, _, value = digest.partition(":")
    return {algorithm: value}
