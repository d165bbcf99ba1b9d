"""Images into a registry: blobs and manifests first, under no tag, and the tags last of all.

What holds at every moment, also after `kill -9` or a broken network:

- A tag that a release sets names an image that is in the registry with all of its blobs, and so is every other image
  of the release: no tag is set before all of them have been pushed and read back.
- The tag of a version is set once. Parents get theirs before their children do, so that every image that a version's
  tag names has a parent with that tag.
- Where a release is signed, no tag names an image without its signature: they come between the two.
- What belongs to a release is recorded before its first tag, so that another engine can complete it.
- What is missing, blobs or tags, is put there by the same command again.

Dagger's Container.publish cannot do this: it pushes an image under a tag or not at all.
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
    """An image that may be pushed.

    Args:
        name: of its repository.
        parent: the name of the image that it is built on; None for the first.
        digest: of its manifest, as it was checked.
        content: gives what is pushed, for the time of a block.
        nearby: a repository of the same host that has its blobs.
    """

    name: str
    parent: str | None
    digest: str
    content: Callable[[], AbstractAsyncContextManager[ImageContent]]
    nearby: Repository | None = None


#: Signs images by their digests.
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
    """Push the images of a release, and tag them when all are there.

    Args:
        registry: where to.
        tags: of every image.
        images: parents before children.
        dry_run: look only.
        sign: signs them when all are there; also those that were published before, which may lack it.
        inputs: the digest of what they were built from, for the release's record; empty for none.

    Returns:
        The names of those that had not been published under this version before.

    Raises:
        ReleaseError: an image is published, or was begun to be, under this version with another content.
        RegistryError: the registry refuses, or did not answer often enough.
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
        # Somebody else may have published this version meanwhile.
        lacking = await _unpublished(registry, tags.version, images)
        if record and lacking:
            await _record(registry.repository(images[0].name), images[0].digest, record)
        for tag in tags.all:
            for image in images:
                await set_tag(registry.repository(image.name), tag, image.digest, moves=tag != tags.version)
    return missing


async def published_digests(registry: Registry, version: str, names: Iterable[str]) -> dict[str, str]:
    """Return what images are published under a version, by their names; what is not published is left out."""

    async def one(name: str) -> tuple[str, str]:
        manifest = await registry.repository(name).manifest(version)
        return name, manifest.digest if manifest else ""

    return {name: digest for name, digest in await concurrently([partial(one, name) for name in names]) if digest}


async def set_tag(repository: Repository, tag: str, digest: str, *, moves: bool = True) -> None:
    """Make a tag name a manifest of its repository, and read it back.

    Args:
        repository: of the manifest.
        tag: that is set.
        digest: of the manifest.
        moves: whether the tag may name another manifest by now.

    Raises:
        ReleaseError: the registry has no such manifest, or tells another one for the tag.
    """
    manifest = await repository.manifest(tag)
    if manifest and manifest.digest == digest:
        return
    if manifest and not moves:
        raise ReleaseError(
            f"{repository.address}/{repository.name}:{tag} was published as {manifest.digest} meanwhile, and a version "
            f"never changes to {digest}; run the same command again, when nobody else publishes."
        )
    manifest = await repository.manifest(digest)
    if manifest is None:
        raise ReleaseError(
            f"{repository.address}/{repository.name} has lost {digest} before it was tagged {tag!r} (a clean-up of "
            "the registry removes what has no tag); run the same command again."
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
                f"{registry.address}/{image.name}:{version} is published as {found[image.name]}, and this build of it "
                f"{f'(which {children} would be built on) ' if children else ''}is {image.digest}; a version never "
                "changes, so nothing was tagged: publish this one under a new version."
            )
    return frozenset(image.name for image in images if image.name not in found)


async def _record(repository: Repository, first: str, record: ReleaseRecord) -> None:
    try:
        await write_record(repository, first, record)
    except RegistryError as error:
        if error.passing:
            raise
        _log.warning(
            "%s takes no record of the release, so only an engine that builds the same digests can complete it: %s",
            repository.address,
            error,
        )


async def _refuse_other_record(registry: Registry, first: Candidate, record: ReleaseRecord) -> None:
    """Refuse a release whose version was begun with other images, of which some may have no tag yet."""
    found = await read_record(registry.repository(first.name), first.digest)
    if found and found.version == record.version and found.images != record.images:
        names = [name for name, digest in record.images.items() if found.images.get(name) != digest]
        raise ReleaseError(
            f"{registry.address} has begun to publish {record.version} with another {names[0]} "
            f"({found.images.get(names[0])}, and this build of it is {record.images[names[0]]}); a version never "
            "changes, so nothing was tagged: publish this one under a new version."
        )


async def _push_all(registry: Registry, images: Sequence[Candidate], missing: Collection[str]) -> None:
    """Push images side by side, each when its parent is there: what they share is then sent once."""
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
            raise SkaError(f"{image.name} was checked as {image.digest}, and its archive is {manifest.digest}.")
        sources = dict.fromkeys(manifest.blobs, image.nearby)
        if parent and (below := await registry.repository(parent.name).manifest(parent.digest)):
            sources |= dict.fromkeys(below.blobs, registry.repository(parent.name))
        sent = 0
        for blob in manifest.blobs:
            source = sources[blob]
            if not (await repository.has(blob) or (source and await repository.mount(blob, source))):
                await repository.push_blob(blob, content.blobs[blob.digest])
                sent += blob.size
    # The registry has answered for every blob; it takes a manifest by its digest, and so under no tag.
    await repository.push_manifest(manifest.digest, manifest)
    await _read_back(repository, manifest.digest, manifest.digest)
    _log.info("%s: pushed, %.1f MB sent", image.name, sent / 1e6)


async def _read_back(repository: Repository, reference: str, digest: str) -> None:
    found = await repository.manifest(reference)
    if found is None or found.digest != digest:
        raise ReleaseError(
            f"{repository.address}/{repository.name} was given {digest} as {reference!r} and answers with "
            f"{found.digest if found else 'nothing'}; run the same command again, when nobody else publishes."
        )
