"""Build the images, check them, and publish them under a version."""

import contextlib
import logging
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread
import dagger
from dagger import dag

from pipeline.build.assembly import Packed, pack_all
from pipeline.build.base import select_base
from pipeline.build.base_reference import BaseReference
from pipeline.build.inputs import Build
from pipeline.build.settings import Settings, moment
from pipeline.catalogue.lookup import by_name
from pipeline.errors import ReleaseError
from pipeline.gates.scan.database import DatabaseOrder
from pipeline.registry.address import parse_address
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.changelog import require_section
from pipeline.release.completion import Completion, find_completion, release_inputs
from pipeline.release.content import ImageContent, read_archive
from pipeline.release.gates import open_gates
from pipeline.release.login import Login
from pipeline.release.published import find_published
from pipeline.release.push import Candidate, push_release
from pipeline.release.release_document import release_document
from pipeline.release.tags import Tags, parse_extra_tags, parse_version
from pipeline.release.upstream import require_base_layers
from pipeline.signing.sign import Signing, open_signing, sign_images
from pipeline.signing.signer import Signer, parse_signer

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Order:
    """What is to be published.

    Args:
        tag: the version, a leading v allowed.
        extra_tags: those beside it.
        to: a registry to push to that is not the one in the images' references; empty for that one.
        dry_run: do all but the pushing.
        allow_stand_in_base: publish what is built on a base of this machine's own.
        signer: who signs; nobody, where it names nobody.
        database: of vulnerabilities, for the scan.
    """

    tag: str
    extra_tags: Sequence[str] = ()
    to: str = ""
    dry_run: bool = False
    allow_stand_in_base: bool = False
    signer: Signer = field(default_factory=Signer)
    database: DatabaseOrder = field(default_factory=DatabaseOrder)


async def publish(
    order: Order,
    given: Mapping[str, Any],
    base_archive: dagger.File | None,
    login: Login,
    tools: dagger.Directory | None = None,
) -> str:
    """Publish the images, all or none.

    Args:
        order: what, and where to.
        given: the settings that were given as arguments.
        base_archive: used instead of the base of the settings.
        login: of the registry.
        tools: of the gates, which are not held without, and of the signature.

    Returns:
        JSON: each image's reference with its tag and digest, as it was read back.

    Raises:
        SettingsError, ReleaseError: it cannot be published as ordered.
        RegistryError: the registry refuses, or did not answer often enough.
        ChecksFailedError: an image is not what it should be.
        SbomError, AuditError, ScanError: it does not pass a gate.
        SigningError: an image could not be signed.
    """
    signer = parse_signer(order.signer)
    given = {**given, "version": parse_version(order.tag)}
    settings = Settings(**given)
    tags = Tags(settings.version, parse_extra_tags(order.extra_tags, settings))
    address = parse_address(order.to or settings.registry)
    if tags.is_final:
        require_section(tags.version, settings.created[:10])
    if base_archive is None and BaseReference(settings.base).is_stand_in and not order.allow_stand_in_base:
        raise ReleaseError(
            f"The base {settings.base} is a stand-in of this machine, which no release is built on; make the "
            "registry of the base reachable, give --base-archive, or insist with --allow-stand-in-base."
        )
    async with login.access() as access, open_registry(address, access) as registry:
        settings = await _as_begun(settings, given, registry)
        build = Build(settings, await select_base(settings, base_archive), tags.extra, tools)
        # Before the build, so that a wrong password or an old database is known early.
        signing = await open_signing(build, registry, signer) if signer else None
        inputs = await release_inputs(build)
        completion = await _begun(registry, tags, inputs, build, signing)
        if candidates := list(completion.candidates):
            _log.info("%s was begun before, and is completed from its record; nothing is built", tags.version)
            new = await push_release(registry, tags, candidates, dry_run=order.dry_run, inputs=inputs)
            return release_document(address, tags, candidates, new, dry_run=order.dry_run)
        gates = await open_gates(build, order.database, moment, required=tags.is_final)
        packed = await pack_all(build)
        platform = str(await dag.default_platform())
        await require_base_layers(build.base, packed[0].archive.layers, platform, access, required=tags.is_final)
        attestations = await gates.hold(packed)
        candidates = [_candidate(one) for one in packed]
        sign = partial(sign_images, signing, attestations=attestations) if signing else None
        try:
            new = await push_release(registry, tags, candidates, dry_run=order.dry_run, sign=sign, inputs=inputs)
        except ReleaseError as error:
            raise ReleaseError(f"{error} {completion.obstacle}".rstrip()) from error
    return release_document(address, tags, candidates, new, dry_run=order.dry_run)


async def _begun(registry: Registry, tags: Tags, inputs: str, build: Build, signing: Signing | None) -> Completion:
    # Without the tools nobody can tell whether a final version has passed its gates.
    if tags.is_final and build.tools is None:
        return Completion()
    return await find_completion(registry, tags, inputs, build, signing)


async def _as_begun(settings: Settings, given: Mapping[str, Any], registry: Registry) -> Settings:
    """Take the GitLab job of what is published under this version already, and its moment where no other is given.

    A release that broke off between its tags is then completed by the same command also on the next day, and by the
    next job. It is the first question to the registry as well, so that a wrong password is known before anything is
    built.
    """
    for name in by_name():
        found = await find_published(registry.repository(name), settings.version)
        if found:
            moment = {} if "created" in settings.model_fields_set else {"created": found.label("created")}
            return Settings(**given, **moment).by_the_job_of(found.labels)
    # Whoever gives it: with its moment a release has the packages of that day, in a later run as well.
    return Settings(**{**given, "created": settings.created})


def _candidate(packed: Packed) -> Candidate:
    image = packed.checked.image
    return Candidate(image.name, image.parent, packed.archive.digest, partial(_exported, packed.tarball))


@contextlib.asynccontextmanager
async def _exported(tarball: dagger.File) -> AsyncIterator[ImageContent]:
    with tempfile.TemporaryDirectory(prefix="ska-publish-") as directory:
        path = Path(directory, "image.tar")
        await tarball.export(str(path))
        yield await anyio.to_thread.run_sync(read_archive, path)
