"""Statements on images, as in-toto has them: https://github.com/in-toto/attestation/tree/main/spec/v1"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.build.inputs import Build
from pipeline.build.labelling import OCI

TYPE = "https://in-toto.io/Statement/v1"


@dataclass(frozen=True)
class Statement:
    """What is said of one image.

    Args:
        subject: the image's name in its registry, without a tag.
        digest: of its manifest, sha256:….
        predicate_type: a URI that says what the predicate is.
        predicate: what is said, for JSON.
    """

    subject: str
    digest: str
    predicate_type: str
    predicate: Mapping[str, Any]

    def predicate_json(self) -> bytes:
        """Return what is said, in UTF-8, as cosign takes it."""
        return json.dumps(self.predicate, indent=2, ensure_ascii=False).encode()

    def render(self) -> str:
        """Return the whole statement as JSON."""
        document = {
            "_type": TYPE,
            "subject": [{"name": self.subject, "digest": digest_set(self.digest)}],
            "predicateType": self.predicate_type,
            "predicate": self.predicate,
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def digest_set(digest: str) -> dict[str, str]:
    """Return a digest, written ALGORITHM:HEXADECIMAL, as in-toto writes it."""
    algorithm, _, value = digest.partition(":")
    return {algorithm: value}


def repository(name: str, build: Build) -> str:
    """Return an image's name in its registry, without a tag."""
    return build.reference(name).rpartition(":")[0]


def source_of(build: Build) -> dict[str, Any]:
    """Return the descriptor of the source code, with the commit where it is known."""
    source = f"git+{build.settings.source}"
    # A module on Dagger's engine sees no environment, and is given the commit as a label.
    revision = build.settings.revision or build.settings.labels.get(f"{OCI}revision", "")
    if not revision:
        return {"name": "source", "uri": source}
    return {"name": "source", "uri": f"{source}@{revision}", "digest": {"gitCommit": revision}}
