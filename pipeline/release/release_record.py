"""The digests of a release, recorded in the registry before its first tag.

With the record, an engine that does not build the same digests twice can complete a release that was interrupted
between its tags. The record is a small OCI artifact in the repository of the first image, under the tag
`sha256-<digest of that image>.release`. Clean-ups spare tags of this form, which is cosign's, and two builds of a
version share the tag only if their first images are equal. The first image is tagged first, so its tag leads to the
record.

A promotion needs no record: it reads its digests from the source registry, where a repeat finds the same ones.
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
    """The record of a release.

    Args:
        version: the release's version.
        inputs: the digest of the release's inputs (`release_inputs`).
        images: the digests of the images' manifests, by name.
    """

    version: str
    inputs: str
    images: Mapping[str, str]

    def render(self) -> bytes:
        """Return the record as JSON, the same bytes for the same release."""
        return json.dumps(asdict(self), sort_keys=True).encode()


async def read_record(repository: Repository, first: str) -> ReleaseRecord | None:
    """Return the record of a release; None if there is none.

    Args:
        repository: the first image's repository.
        first: the digest of the first image's manifest.

    Raises:
        RegistryError: the registry refuses, or the record is not valid.
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
            f"The release record {repository.path}:{_tag(first)} cannot be read ({error}); remove that tag, or publish "
            "under a new version."
        ) from error


async def write_record(repository: Repository, first: str, record: ReleaseRecord) -> None:
    """Push a record and read it back.

    Args:
        repository: the repository of the first image, which has been pushed.
        first: the digest of the first image's manifest.
        record: the release's record.

    Raises:
        ReleaseError: someone else has replaced the record.
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
            f"{repository.address}/{repository.name} has another record of {record.version} than the one just pushed; "
            "run the same command again when nobody else publishes."
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
        raise ValueError("its members have the wrong types")
    if not all(isinstance(digest, str) and DIGEST.fullmatch(digest) for digest in images.values()):
        raise ValueError("it names something that is not a digest")
    return ReleaseRecord(version, inputs, images)
