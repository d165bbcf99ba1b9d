"""What is said of an image under a signature: https://github.com/in-toto/attestation/tree/main/spec/v1."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Attestation:
    """A statement on an image, whose subject cosign writes.

    Args:
        type: as cosign calls it (cyclonedx, spdxjson, slsaprovenance1), or the URI of the predicate's type.
        predicate: JSON, in UTF-8.
    """

    type: str
    predicate: bytes
