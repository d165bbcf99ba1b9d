"""Pushes images to a registry: blobs and manifests first, without tags, and tags last.

These invariants hold at every moment, even after `kill -9` or a network failure:

- Every tag of a release names an image that is in the registry with all of its blobs, and so is every other image of
  the release: all of them are pushed and read back before the first tag is set.
- A version's tag is set once. Parents are tagged before their children, so every tagged image has a tagged parent.
- If a release is signed, its images are signed before they are tagged.
- The digests of a release are recorded before its first tag, so that another engine can complete the release.
- Running the same command again adds what is missing.

Dagger's Container.publish cannot do this: it cannot push an image without a tag.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial

import anyio

from pipeline.concurrency import concurrently
from pipeline.errors import RegistryError, ReleaseError, SkaError
from pipeline.registry.address import Reference
from pipeline.registry.registry import Registry
from pipeline.registry.repository import Repository
from pipeline.release.content import ImageContent
from pipeline.release.release_record import ReleaseRecord, read_record, write_record
from pipeline.release.tags import Tags

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Candidate:
    """An image to push.

    Args:
        name: the image's name.
        parent: the name of the image that it is built on; None for the first.
        digest: the digest of the manifest that was checked.
        content: opens the image's content.
        nearby: a repository on the same host that has its blobs.
    """

    name: str
    parent: str | None
    digest: str
    content: Callable[[], AbstractAsyncContextManager[ImageContent]]
    nearby: Repository | None = None


#: Signs images by digest.
Sign = Callable[[Sequence[Reference]], Awaitable[None]]


async def push_release(
    registry: Registry,
    tags: Tags,
    images: Sequence[Candidate],
    *,
    dry_run: bool = False,
    sign: Sign | None = None,
    inputs: str = "",
) -> frozenset[str]:
    """Push the images of a release, then tag them.

    Args:
        registry: the target.
        tags: the tags of every image.
        images: the images, parents before children.
        dry_run: change nothing.
        sign: signs the images before they are tagged, including published ones, which may lack signatures.
        inputs: the digest of the release's inputs, for its record; empty for no record.

    Returns:
        The names of the images that were not published under this version before.

    Raises:
        ReleaseError: this version is published, or partly published, with other content.
        RegistryError: the registry refuses, or does not answer.
        SigningError: an image could not be signed; nothing was tagged.
    """
    missing = await _unpublished(registry, tags.version, images)
    record = ReleaseRecord(tags.version, inputs, {image.name: image.digest for image in images}) if inputs else None
    if record and images[0].name not in missing:
        await _refuse_other_record(registry, images[0], record)
    if not dry_run:
        await _push_all(registry, images, missing)
        if sign:
            await sign([Reference(registry.address, image.name, digest=image.digest) for image in images])
        # Someone else may have published this version in the meantime.
        lacking = await _unpublished(registry, tags.version, images)
        if record and lacking:
            await _record(registry.repository(images[0].name), images[0].digest, record)
        for tag in tags.all:
            for image in images:
                await set_tag(registry.repository(image.name), tag, image.digest, moves=tag != tags.version)
    return missing


async def published_digests(registry: Registry, version: str, names: Iterable[str]) -> dict[str, str]:
    """Return the digests of the images that are published under a version, by name."""

    async def one(name: str) -> tuple[str, str]:
        manifest = await registry.repository(name).manifest(version)
        return name, manifest.digest if manifest else ""

    return {name: digest for name, digest in await concurrently([partial(one, name) for name in names]) if digest}


async def set_tag(repository: Repository, tag: str, digest: str, *, moves: bool = True) -> None:
    """Make a tag name a manifest of its repository, and read it back.

    Args:
        repository: the manifest's repository.
        tag: the tag to set.
        digest: the manifest's digest.
        moves: whether the tag may name another manifest so far.

    Raises:
        ReleaseError: the registry lacks the manifest, or the tag names another one.
    """
    manifest = await repository.manifest(tag)
    if manifest and manifest.digest == digest:
        return
    if manifest and not moves:
        raise ReleaseError(
            f"{repository.address}/{repository.name}:{tag} was published as {manifest.digest} in the meantime, and a "
            f"version never changes, so it cannot become {digest}; run the same command again when nobody else "
            "publishes."
        )
    manifest = await repository.manifest(digest)
    if manifest is None:
        raise ReleaseError(
            f"{repository.address}/{repository.name} lost {digest} before it was tagged {tag!r} (garbage collection "
            "removes untagged manifests); run the same command again."
        )
    await repository.push_manifest(tag, manifest)
    await _read_back(repository, tag, digest)
    _log.info("%s: tagged %s", repository.name, tag)


async def _unpublished(registry: Registry, version: str, images: Sequence[Candidate]) -> frozenset[str]:
    found = await published_digests(registry, version, (image.name for image in images))
    for image in images:
        if found.get(image.name, image.digest) != image.digest:
            children = ", ".join(child.name for child in images if child.parent == image.name)
            raise ReleaseError(
                f"{registry.address}/{image.name}:{version} is published as {found[image.name]}, but this build "
                f"{f'(the parent of {children}) ' if children else ''}is {image.digest}; a version never changes, so "
                "nothing was tagged: publish this build under a new version."
            )
    return frozenset(image.name for image in images if image.name not in found)


async def _record(repository: Repository, first: str, record: ReleaseRecord) -> None:
    try:
        await write_record(repository, first, record)
    except RegistryError as error:
        if error.passing:
            raise
        _log.warning(
            "%s does not accept the release's record, so only an engine that builds the same digests can complete it: "
            "%s",
            repository.address,
            error,
        )


async def _refuse_other_record(registry: Registry, first: Candidate, record: ReleaseRecord) -> None:
    """Refuse a release if a publish of its version with other images was interrupted."""
    found = await read_record(registry.repository(first.name), first.digest)
    if found and found.version == record.version and found.images != record.images:
        names = [name for name, digest in record.images.items() if found.images.get(name) != digest]
        raise ReleaseError(
            f"{registry.address} has {record.version} partly published with another {names[0]} "
            f"({found.images.get(names[0])}, but this build is {record.images[names[0]]}); a version never changes, so "
            "nothing was tagged: publish this build under a new version."
        )


async def _push_all(registry: Registry, images: Sequence[Candidate], missing: Collection[str]) -> None:
    """Push images concurrently, each after its parent, so that shared layers are sent once."""
    by_name = {image.name: image for image in images}
    done = {name: anyio.Event() for name in missing}

    async def one(name: str) -> None:
        parent = by_name.get(by_name[name].parent or "")
        if parent and parent.name in done:
            await done[parent.name].wait()
        await _push(registry, by_name[name], parent)
        done[name].set()

    await concurrently([partial(one, name) for name in missing])


async def _push(registry: Registry, image: Candidate, parent: Candidate | None) -> None:
    repository = registry.repository(image.name)
    async with image.content() as content:
        manifest = content.manifest
        if manifest.digest != image.digest:
            raise SkaError(f"{image.name} was checked as {image.digest}, but its archive is {manifest.digest}.")
        sources = dict.fromkeys(manifest.blobs, image.nearby)
        if parent and (below := await registry.repository(parent.name).manifest(parent.digest)):
            sources |= dict.fromkeys(below.blobs, registry.repository(parent.name))
        sent = 0
        for blob in manifest.blobs:
            source = sources[blob]
            if not (await repository.has(blob) or (source and await repository.mount(blob, source))):
                await repository.push_blob(blob, content.blobs[blob.digest])
                sent += blob.size
    # All blobs are there, so the registry accepts the manifest; pushing it by digest sets no tag.
    await repository.push_manifest(manifest.digest, manifest)
    await _read_back(repository, manifest.digest, manifest.digest)
    _log.info("%s: pushed, %.1f MB sent", image.name, sent / 1e6)


async def _read_back(repository: Repository, reference: str, digest: str) -> None:
    found = await repository.manifest(reference)
    if found is None or found.digest != digest:
        raise ReleaseError(
            f"{repository.address}/{repository.name} got {digest} as {reference!r}, but returns "
            f"{found.digest if found else 'nothing'}; run the same command again when nobody else publishes."
        )
