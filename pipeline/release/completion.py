"""Completes a release that was interrupted between its tags from its record, without building."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio.to_thread

from pipeline.build.inputs import Build
from pipeline.build.labelling import labels_of
from pipeline.checksum import sha256
from pipeline.concurrency import concurrently
from pipeline.errors import RegistryError, ReleaseError, VerificationError
from pipeline.evidence.results import OF_A_RELEASE
from pipeline.registry.registry import Registry
from pipeline.release.copies import copy_of
from pipeline.release.lineage import refuse_strangers
from pipeline.release.published import Published, find_published
from pipeline.release.push import Candidate
from pipeline.release.release_record import ReleaseRecord, read_record
from pipeline.release.tags import Tags
from pipeline.signing.both_kinds import Signatories
from pipeline.signing.notation_sign import NotationSigning
from pipeline.signing.notation_signature import open_notation_witness
from pipeline.signing.reach import file_of
from pipeline.signing.sign import Signing
from pipeline.signing.signature import Trusted, Witness, open_witness

_SOURCES = Path(__file__).parents[1]


@dataclass(frozen=True)
class Completion:
    """An interrupted release, if its record can complete it.

    Args:
        candidates: the images of the record, parents first; empty if the record cannot complete the release.
        obstacle: the reason why it cannot, as a sentence; otherwise empty.
    """

    candidates: Sequence[Candidate] = ()
    obstacle: str = ""


async def release_inputs(build: Build) -> str:
    """Return the digest of a release's inputs: its labels, its settings and the pipeline's own files."""
    files = await anyio.to_thread.run_sync(_sources)
    labels = {name: labels_of(image, build) for name, image in build.images.items()}
    bases = {name: [base.reference, build.settings.snapshot_of(base.reference)] for name, base in build.bases.items()}
    inputs = [labels, files, bases]
    return f"sha256:{hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()}"


async def find_completion(
    registry: Registry, tags: Tags, inputs: str, build: Build, signing: Signatories | None
) -> Completion:
    """Look for an interrupted release of this version, built from the same inputs, that lacks only tags.

    Args:
        registry: the registry of the release.
        tags: the tags of each image.
        inputs: the digest of this run's inputs.
        build: provides the base and the tools that verify signatures.
        signing: the signers; None for none.

    Raises:
        RegistryError: the registry refuses, or its record cannot be read.
    """
    repository = registry.repository(next(iter(build.images)))
    first = await repository.manifest(tags.version)
    record = await read_record(repository, first.digest) if first else None
    if record is None or record.inputs != inputs or record.version != tags.version:
        return Completion()
    try:
        images = await _recorded(registry, record, tags, build.images)
        if signing and signing.cosign:
            await _require_signatures(images, await _witness(build, registry, signing.cosign), tags, build)
        if signing and signing.notation:
            await _require_notation(images, signing.notation, registry, build)
    except (ReleaseError, VerificationError, RegistryError) as error:
        if isinstance(error, RegistryError) and error.passing:
            raise
        reason = str(error).rstrip(".")
        return Completion(obstacle=f"The release cannot be completed from its record either: {reason}.")
    return Completion([copy_of(image, registry.address) for image in images])


async def _recorded(registry: Registry, record: ReleaseRecord, tags: Tags, names: Collection[str]) -> list[Published]:
    """Return the images of a record; the record is not trusted, so they are examined like a release's."""
    if record.images.keys() != set(names):
        raise ReleaseError("the record names other images than the lines of this run")
    jobs = [partial(_image, registry, name, digest, tags) for name, digest in record.images.items()]
    found = {image.repository.name: image for image in await concurrently(jobs)}
    images = [found[name] for name in names]
    refuse_strangers(images)
    return images


async def _image(registry: Registry, name: str, digest: str, tags: Tags) -> Published:
    repository = registry.repository(name)
    image = await find_published(repository, digest)
    if image is None or image.manifest.digest != digest:
        raise ReleaseError(f"{registry.address}/{name}@{digest} is no longer in the registry")
    for blob in image.manifest.blobs:
        if not await repository.has(blob):
            raise ReleaseError(f"the blob {blob.digest} of {registry.address}/{name} is no longer in the registry")
    if image.label("version") != tags.version or image.label("tags") != ",".join(tags.all):
        raise ReleaseError(f"{registry.address}/{name}@{digest} is labelled as another release")
    return image


async def _witness(build: Build, registry: Registry, signing: Signing) -> Witness:
    if not signing.public_key:
        raise VerificationError("the signatures of an identity cannot be verified here")
    trusted = Trusted(file_of("cosign.pub", signing.public_key), tlog=signing.signer.tlog)
    return await open_witness(build, registry, trusted)


async def _require_signatures(images: Sequence[Published], witness: Witness, tags: Tags, build: Build) -> None:
    types = OF_A_RELEASE if tags.is_final or build.tools is not None else ()

    async def one(image: Published) -> None:
        await witness.signature(image.reference())
        await witness.attestations(image.reference(), types)

    await concurrently([partial(one, image) for image in images])


async def _require_notation(
    images: Sequence[Published], signing: NotationSigning, registry: Registry, build: Build
) -> None:
    if signing.trust is None:
        raise VerificationError("the signer's certificate names no country, state and organisation to verify it by")
    witness = await open_notation_witness(build, registry, signing.trust)
    await concurrently([partial(witness.signature, image.reference()) for image in images])


def _sources() -> dict[str, str]:
    """Return the SHA-256 of each of the pipeline's files."""
    found = [path for path in _SOURCES.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(_SOURCES).as_posix(): sha256(path) for path in found}
