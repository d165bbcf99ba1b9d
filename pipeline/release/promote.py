"""Copies a release from one registry to another: the same digests under the same tags, without building."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pipeline.build.base_reference import BaseReference
from pipeline.build.signature_kinds import require_kinds
from pipeline.build.version import Version
from pipeline.catalogue.lookup import of_lines
from pipeline.errors import ReleaseError
from pipeline.escape import escaped
from pipeline.registry.address import parse_address
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.copies import copy_of
from pipeline.release.lineage import refuse_strangers
from pipeline.release.login import Login
from pipeline.release.published import Published, find_images
from pipeline.release.push import push_release
from pipeline.release.release_document import release_document
from pipeline.release.resign import Resigning
from pipeline.release.tags import Tags, never_moves, parse_version


@dataclass(frozen=True)
class Side:
    """The source or the target of a promotion.

    Args:
        registry: the registry's address.
        login: the login to it.
    """

    registry: str
    login: Login


async def promote(
    tag: str,
    lines: Sequence[str],
    source: Side,
    target: Side,
    *,
    dry_run: bool,
    allow_stand_in_base: bool,
    resigning: Resigning | None = None,
    required: Sequence[str] = (),
) -> str:
    """Copy a release, all or nothing.

    Args:
        tag: the release's version.
        lines: the names of the lines that are copied.
        source: the registry of the release.
        target: the registry to copy it to; the same registry moves its moving tags back to this release.
        dry_run: change nothing.
        allow_stand_in_base: also copy a release that is built on a stand-in base.
        resigning: signs the copy; None leaves it unsigned.
        required: the kinds of signatures without which no final version is copied.

    Returns:
        JSON: each image's reference with its tag and digest, as read back from the registry.

    Raises:
        ReleaseError: the release is incomplete, or the target has another one under its version.
        RegistryError: a registry refuses, or does not answer.
        VerificationError: an image is not built on its parent, or is not signed as required.
        SigningError: an image could not be signed.
    """
    version, to = parse_version(tag), parse_address(target.registry)
    if Version(version).is_final:
        require_kinds(required, resigning.signers.kinds if resigning else ())
    async with (
        source.login.access() as reading,
        target.login.access() as writing,
        open_registry(parse_address(source.registry), reading) as origin,
        open_registry(to, writing) as registry,
    ):
        images = await _released(origin, version, of_lines(lines))
        if not allow_stand_in_base:
            _refuse_stand_in(images)
        tags = _tags(images, version)
        candidates = [copy_of(image, to) for image in images]
        sign = await resigning.open(images, origin, registry) if resigning else None
        new = await push_release(registry, tags, candidates, dry_run=dry_run, sign=sign)
    return release_document(to, tags, candidates, new, dry_run=dry_run)


async def _released(origin: Registry, version: str, names: Collection[str]) -> list[Published]:
    """Return the images of a release, which must be complete and built on each other."""
    found = await find_images(origin, version, names)
    if missing := [name for name in names if name not in found]:
        raise ReleaseError(
            f"{origin.address}/{missing[0]}:{version} is not published, but the lines of a release are copied as a "
            "whole; publish it, or repeat a publish that was interrupted."
        )
    images = list(found.values())
    refuse_strangers(images)
    return images


def _refuse_stand_in(images: list[Published]) -> None:
    for base in (image.label("baseImage") for image in images):
        if BaseReference(base).is_stand_in:
            raise ReleaseError(
                f"The release is built on {base}, a stand-in base of one machine; promote one that is built on the "
                "real base, or give --allow-stand-in-base."
            )


def _tags(images: list[Published], version: str) -> Tags:
    """Return the tags that the images' labels list."""
    labels = {image.label("tags") for image in images}
    tags = tuple(labels.pop().split(",")) if len(labels) == 1 else ()
    if {image.label("version") for image in images} != {version} or version not in tags:
        raise ReleaseError(
            f"The images do not agree that they are tagged {version} (int.skao.image.tags); publish the release again."
        )
    if wrong := [tag for tag in tags if tag != version and never_moves(tag)]:
        raise ReleaseError(
            f"The images are tagged {escaped(wrong[0])!r} beside {version}, which is not a moving tag; publish the "
            "release again."
        )
    return Tags(version, tuple(tag for tag in tags if tag != version))
