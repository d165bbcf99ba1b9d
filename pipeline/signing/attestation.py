"""A signed statement about an image: https://github.com/in-toto/attestation/tree/main/spec/v1."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Attestation:
    """A statement about an image; cosign writes its subject.

    Args:
        type: as cosign calls it (cyclonedx, spdxjson, slsaprovenance1), or the URI of the predicate's type.
        predicate: JSON, in UTF-8.
    """

    type: str
    predicate: bytes
