"""The two images that an application is made with: one that builds it, and one that runs it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import dagger

from pipeline.build.assembly import open_images
from pipeline.build.inputs import Build
from pipeline.catalogue.lookup import the_only
from pipeline.concurrency import concurrently
from pipeline.errors import AppError
from pipeline.registry.address import parse_reference
from pipeline.release.login import Login
from pipeline.release.tags import parse_version
from pipeline.release.verify import verify
from pipeline.signing.signature import Trusted
from pipeline.signing.trust_store import NotationTrust

BUILDER, RUNTIME = "ska-build-python", "ska-python"


@dataclass(frozen=True)
class PairImage:
    """One image of the pair.

    Args:
        container: the image.
        reference: under which it is published.
        digest: of its manifest; empty for a build image that was never packed.
    """

    container: dagger.Container
    reference: str
    digest: str


@dataclass(frozen=True)
class Pair:
    """The pair of a line.

    Args:
        builder: builds the application.
        runtime: runs it.
    """

    builder: PairImage
    runtime: PairImage


@dataclass(frozen=True)
class ReleasedPair:
    """A release whose pair is used instead of one that is built.

    Args:
        tag: its version; empty to build the pair.
        login: the login to the registry of the settings.
        trusted: the key or identity whose signatures by cosign are accepted.
        notation: whose signatures by notation are accepted.
        allow_stand_in_base: accept images that are built on a stand-in base.
        now: the present time, as in 2026-01-31T12:00:00Z.
    """

    tag: str
    login: Login
    trusted: Trusted
    notation: NotationTrust
    allow_stand_in_base: bool
    now: str


async def open_pair(released: ReleasedPair, build: Build) -> Pair:
    """Return the pair of the only line of a build.

    Raises:
        AppError: the build has several lines.
        VerificationError, RegistryError: the release does not verify.
        dagger.ExecError: an image cannot be built.
    """
    if len(build.bases) > 1:
        raise AppError(f"An application stands on one line, and {', '.join(build.bases)} are set; give one --line.")
    names = [the_only(family, build.bases).name for family in (BUILDER, RUNTIME)]
    sides = await (_released(names, released, build) if released.tag else _built(names, build))
    return Pair(*sides)


async def _built(names: Sequence[str], build: Build) -> list[PairImage]:
    async def side(name: str) -> PairImage:
        (image,) = open_images([name], build)
        # Packing the build image would take longer than all else, and nothing names its digest.
        digest = "" if image.image.family.name == BUILDER else (await image.archive.get()).digest
        return PairImage(await image.container.get(), build.reference(name), digest)

    return await concurrently([partial(side, name) for name in names])


async def _released(names: Sequence[str], released: ReleasedPair, build: Build) -> list[PairImage]:
    version = parse_version(released.tag)

    async def opened() -> Build:
        return build

    async def side(name: str) -> PairImage:
        text = await verify(
            f"{build.repository(name)}:{version}",
            released.login,
            allow_stand_in_base=released.allow_stand_in_base,
            trusted=released.trusted,
            build=opened,
            now=released.now,
            notation=released.notation,
            required=build.settings.require_signatures,
        )
        # What was verified is what is used: the digest, whatever the tag points at now.
        pinned = parse_reference(json.loads(text)["reference"])
        return PairImage(released.login.container(pinned), str(pinned), pinned.digest)

    return await concurrently([partial(side, name) for name in names])
