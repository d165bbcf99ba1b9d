"""What belongs to a release, recorded in the registry before its first tag.

Engines that do not build the same digests twice can then complete a release that broke off between its tags. The record
is a small OCI artifact in the repository of the first image, under the tag `sha256-<digest of that image>.release`: it
has the form of cosign's tags, which clean-ups leave alone, and two builds of one version never share it unless their
first images are equal. The first image gets its version's tag first, so that the tag leads to the record.

A promotion has no record: it takes its digests from the registry that it reads, and a repeat finds the same ones.
Source: https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md#guidelines-for-artifact-usage
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from pipeline.errors import RegistryError, ReleaseError
from pipeline.registry.address import DIGEST
from pipeline.registry.manifest import IMAGE, Descriptor, Manifest, digest_of
from pipeline.registry.repository import Repository
from pipeline.registry.transfer import InMemory, joined
from pipeline.strict import parse_object

ARTIFACT = "application/vnd.skao.release.v1+json"
_EMPTY = Descriptor("application/vnd.oci.empty.v1+json", digest_of(b"{}"), 2)
_LARGEST = 64 << 10


@dataclass(frozen=True)
class ReleaseRecord:
    """What belongs to a release.

    Args:
        version: of the release.
        inputs: the digest of what its images were built from (`release_inputs`).
        images: the digests of their manifests, by their names.
    """

    version: str
    inputs: str
    images: Mapping[str, str]

    def render(self) -> bytes:
        """Return it as JSON, the same bytes for the same release."""
        return json.dumps(asdict(self), sort_keys=True).encode()


async def read_record(repository: Repository, first: str) -> ReleaseRecord | None:
    """Return the record of a release; None where there is none.

    Args:
        repository: of the first image.
        first: the digest of that image's manifest.

    Raises:
        RegistryError: the registry refuses, or what it has there is not a record.
    """
    manifest = await repository.manifest(_tag(first))
    if manifest is None:
        return None
    try:
        if parse_object(manifest.raw, _LARGEST).get("artifactType") != ARTIFACT:
            raise ValueError("it has another type")
        (layer,) = manifest.layers
        content = await repository.consume(layer, partial(joined, _LARGEST))
        return _parse(parse_object(content, _LARGEST))
    except (ValueError, KeyError, TypeError) as error:
        raise RegistryError(
            f"The record {repository.path}:{_tag(first)} of a release cannot be read ({error}); remove that tag, or "
            "publish under a new version."
        ) from error


async def write_record(repository: Repository, first: str, record: ReleaseRecord) -> None:
    """Put a record into the registry, and read it back.

    Args:
        repository: of the first image, which is there.
        first: the digest of that image's manifest.
        record: of the release.

    Raises:
        ReleaseError: the registry has another record there now.
        RegistryError: the registry refuses.
    """
    content = record.render()
    layer = Descriptor(ARTIFACT, digest_of(content), len(content))
    manifest = _manifest(layer, await _subject(repository, first), record.version)
    tag = _tag(first)
    found = await repository.manifest(tag)
    if found is None or found.digest != manifest.digest:
        for blob, raw in ((_EMPTY, b"{}"), (layer, content)):
            if not await repository.has(blob):
                await repository.push_blob(blob, InMemory(raw))
        await repository.push_manifest(tag, manifest)
        found = await repository.manifest(tag)
    if found is None or found.digest != manifest.digest:
        raise ReleaseError(
            f"{repository.address}/{repository.name} has another record of {record.version} than the one that was just "
            "put there; run the same command again, when nobody else publishes."
        )


def _tag(first: str) -> str:
    return f"{first.replace(':', '-')}.release"


async def _subject(repository: Repository, first: str) -> dict[str, Any]:
    manifest = await repository.manifest(first)
    if manifest is None:
        raise ReleaseError(f"{repository.address}/{repository.name} has lost {first}; run the same command again.")
    media_type = parse_object(manifest.raw, len(manifest.raw)).get("mediaType", IMAGE)
    return {"mediaType": media_type, "digest": first, "size": len(manifest.raw)}


def _manifest(layer: Descriptor, subject: Mapping[str, Any], version: str) -> Manifest:
    document = {
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "artifactType": ARTIFACT,
        "config": _described(_EMPTY),
        "layers": [_described(layer)],
        "subject": subject,
        "annotations": {"org.opencontainers.image.version": version},
    }
    return Manifest(json.dumps(document, sort_keys=True).encode())


def _described(blob: Descriptor) -> dict[str, Any]:
    return {"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size}


def _parse(document: Mapping[str, Any]) -> ReleaseRecord:
    version, inputs, images = document["version"], document["inputs"], document["images"]
    if not isinstance(version, str) or not isinstance(inputs, str) or not isinstance(images, dict):
        raise ValueError("its members have other types")
    if not all(isinstance(digest, str) and DIGEST.fullmatch(digest) for digest in images.values()):
        raise ValueError("it names what is not a digest")
    return ReleaseRecord(version, inputs, images)
