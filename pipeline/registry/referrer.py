"""What refers to a manifest: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#listing-referrers"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.registry.manifest import descriptor_of
from pipeline.strict import list_of, object_of, text_of

#: The most entries of a list; a registry can make it as long as it likes.
MOST_REFERRERS = 500


@dataclass(frozen=True)
class Referrer:
    """A manifest that refers to another one.

    Args:
        digest: its digest, sha256:….
        artifact_type: what it is, according to the list; empty if the list does not say.
    """

    digest: str
    artifact_type: str


def referrers_of(index: Mapping[str, Any]) -> tuple[Referrer, ...]:
    """Read a list of referrers, which is an image index.

    Raises:
        ValueError: the list is malformed, or has too many entries.
    """
    entries = list_of(object_of(index, "manifests").get("manifests"))
    if len(entries) > MOST_REFERRERS:
        raise ValueError(f"it lists {len(entries)} referrers")
    return tuple(_referrer(entry) for entry in entries)


def _referrer(entry: Any) -> Referrer:
    try:
        return Referrer(descriptor_of(entry).digest, text_of(object_of(entry, "artifactType").get("artifactType", "")))
    except KeyError as error:
        raise ValueError(f"an entry of its list lacks {error}") from error
