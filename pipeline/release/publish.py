"""Builds the images, holds them against the gates, and publishes them under a version."""

import contextlib
import logging
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread
import dagger
from dagger import dag

from pipeline.build.assembly import BuiltImage, open_images
from pipeline.build.base import select_bases
from pipeline.build.base_reference import BaseReference
from pipeline.build.end_of_life import of_line
from pipeline.build.inputs import Build
from pipeline.build.settings import Settings, moment
from pipeline.build.signature_kinds import require_kinds
from pipeline.catalogue.lines import find_line
from pipeline.catalogue.lookup import of_lines
from pipeline.concurrency import both, concurrently
from pipeline.errors import ReleaseError
from pipeline.evidence.provenance import Run, describe_run, digests_of
from pipeline.evidence.results import state
from pipeline.gates import GATES
from pipeline.gates.definition import Gate, GateInputs, GateResult
from pipeline.gates.hold import look_at, prepare_all, require_passed
from pipeline.gates.scan.database import DatabaseOrder
from pipeline.registry.access import Access
from pipeline.registry.address import parse_address
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.changelog import require_section
from pipeline.release.completion import Completion, find_completion, release_inputs
from pipeline.release.content import ImageContent, read_archive
from pipeline.release.continuity import require_continuity
from pipeline.release.login import Login
from pipeline.release.published import find_published
from pipeline.release.push import Candidate, push_release
from pipeline.release.release_document import release_document
from pipeline.release.tags import Tags, parse_extra_tags, parse_version
from pipeline.release.upstream import require_base_layers
from pipeline.signing.attestation import Attestation
from pipeline.signing.both_kinds import Signatories, open_signatories, parse_signers
from pipeline.signing.notation_signer import NotationSigner
from pipeline.signing.signer import Signer

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Order:
    """The order of a release.

    Args:
        tag: the version, a leading v allowed.
        extra_tags: further tags.
        to: the registry to push to; empty for the registry in the images' references.
        dry_run: do everything except the push.
        allow_stand_in_base: also publish images that are built on a stand-in base.
        allow_end_of_life: also publish lines whose support has ended.
        signer: the options of cosign's signer.
        notation: those of notation's; without any of either, nothing is signed.
        database: the database of vulnerabilities for the scan.
    """

    tag: str
    extra_tags: Sequence[str] = ()
    to: str = ""
    dry_run: bool = False
    allow_stand_in_base: bool = False
    allow_end_of_life: bool = False
    signer: Signer = field(default_factory=Signer)
    notation: NotationSigner = field(default_factory=NotationSigner)
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
        order: the order of the release.
        given: the settings given as arguments.
        base_archive: a base instead of the line's.
        login: the login to the registry.
        tools: the tools of the gates and of the signer; without them, no gate that needs tools is held.

    Returns:
        JSON: each image's reference with its tag and digest, as read back from the registry.

    Raises:
        SettingsError, ReleaseError: the images cannot be published as ordered.
        RegistryError: the registry refuses, or does not answer.
        ToolError, HoldError: a gate cannot be held.
        GateError: an image does not pass a gate.
        SigningError: an image could not be signed.
    """
    signers = parse_signers(order.signer, order.notation)
    given = {**given, "version": parse_version(order.tag)}
    settings = Settings(**given)
    tags = Tags(settings.version, parse_extra_tags(order.extra_tags, settings))
    address = parse_address(order.to or settings.registry)
    if tags.is_final:
        require_section(tags.version, settings.created[:10])
        require_kinds(settings.require_signatures, signers.kinds)
    _require_supported(settings, allowed=order.allow_end_of_life)
    if base_archive is None and not order.allow_stand_in_base:
        _refuse_stand_in([settings.base_of(find_line(name)) for name in settings.lines])
    async with login.access() as access, open_registry(address, access) as registry:
        settings = await _as_begun(settings, given, registry)
        build = Build(settings, await select_bases(settings, base_archive), tags.extra, tools)
        if tags.is_final:
            await require_continuity(build, registry)
        # Before the build, so that a wrong password or an old database is reported early.
        signing = await open_signatories(build, registry, signers)
        inputs = await release_inputs(build)
        completion = await _begun(registry, tags, inputs, build, signing)
        if candidates := list(completion.candidates):
            _log.info("%s was begun before, and is completed from its record; nothing is built", tags.version)
            new = await push_release(registry, tags, candidates, dry_run=order.dry_run, inputs=inputs)
            return release_document(address, tags, candidates, new, dry_run=order.dry_run)
        gates = _gates(build, is_final=tags.is_final)
        looks = await prepare_all(gates, GateInputs(build, moment, order.database))
        images = open_images((), build)
        require_base = partial(_require_bases, images, access, is_final=tags.is_final)
        run, results = await both(partial(_pack, images, require_base), partial(look_at, looks, images))
        require_passed(results)
        _require_examined(results, images, settings)
        # Attestations cover all gates or none: an image that skipped a gate is published without them.
        attestations = await _attestations(results, images, run) if gates == GATES else {}
        candidates = [await _candidate(image) for image in images]
        sign = partial(signing.sign_images, attestations=attestations) if signing else None
        try:
            new = await push_release(registry, tags, candidates, dry_run=order.dry_run, sign=sign, inputs=inputs)
        except ReleaseError as error:
            raise ReleaseError(f"{error} {completion.obstacle}".rstrip()) from error
    return release_document(address, tags, candidates, new, dry_run=order.dry_run)


def _gates(build: Build, *, is_final: bool) -> tuple[Gate, ...]:
    """Return the gates to hold: all of them, or for a pre-release without tools those that need no tools."""
    if build.tools is not None:
        return GATES
    if is_final:
        raise ReleaseError(
            f"{build.settings.version} is a final version, which passes all gates, and their tools were not given; "
            "give --tools DIR (`make tools` fills one), or publish a pre-release."
        )
    held = tuple(gate for gate in GATES if not gate.needs_tools)
    left_out = ", ".join(gate.name for gate in GATES if gate.needs_tools)
    _log.warning("no --tools: the gates %s are not held; `make tools` fills a directory for that", left_out)
    return held


async def _pack(images: Sequence[BuiltImage], require_base: Callable[[], Awaitable[None]]) -> Run:
    """Build and pack the images, and require the layers of the base in them."""
    started = moment()
    await concurrently([image.archive.get for image in images])
    await require_base()
    return await describe_run(started, moment)


async def _require_bases(images: Sequence[BuiltImage], access: Access, *, is_final: bool) -> None:
    platform = str(await dag.default_platform())
    for image in images:
        if image.image.parent is None:
            base, layers = image.build.base_of(image.image), (await image.archive.get()).layers
            await require_base_layers(base, layers, platform, access, required=is_final)


def _require_supported(settings: Settings, *, allowed: bool) -> None:
    """Refuse lines whose support has ended by the day of the release, and warn about those whose end is near."""
    today = date.fromisoformat(settings.created[:10])
    for line in (find_line(name) for name in settings.lines):
        end = of_line(line)
        if end.is_past(today) and not allowed:
            raise ReleaseError(
                f"{end.subject} got its last security updates on {end.day}, so it is not released any more; publish a "
                "newer line, or insist with --allow-end-of-life."
            )
        if warning := end.warning(today):
            _log.warning("%s", warning)


def _refuse_stand_in(bases: Iterable[str]) -> None:
    for base in bases:
        if BaseReference(base).is_stand_in:
            raise ReleaseError(
                f"The base {base} is a stand-in of this machine, which no release is built on; make the registry of "
                "the base reachable, give --base-archive, or insist with --allow-stand-in-base."
            )


def _require_examined(results: Iterable[GateResult], images: Iterable[BuiltImage], settings: Settings) -> None:
    """Refuse a line about which a gate found nothing out, unless the settings accept that on the day of the release."""
    lines = {image.name: image.image.line.name for image in images}
    for result in results:
        until = settings.no_profile_until_of(lines[result.image])
        if result.unexamined and settings.created[:10] > until:
            line = lines[result.image]
            accepted = f"was accepted until {until}" if until else "is not accepted"
            raise ReleaseError(
                f"{result.image} cannot pass the gate {result.gate}, because {result.unexamined}, and that {accepted}; "
                f"accept it until a day with the setting no_profile_until (SKA_NO_PROFILE_UNTIL={line}=DATE)."
            )


async def _attestations(
    results: Sequence[GateResult], images: Sequence[BuiltImage], run: Run
) -> dict[str, list[Attestation]]:
    stated = state(results, await digests_of(images), images[0].build, run)
    return {name: [Attestation(one.type, one.encoded()) for one in predicates] for name, predicates in stated.items()}


async def _begun(registry: Registry, tags: Tags, inputs: str, build: Build, signing: Signatories | None) -> Completion:
    # Without the tools, a final version cannot be held against its gates.
    if tags.is_final and build.tools is None:
        return Completion()
    return await find_completion(registry, tags, inputs, build, signing)


async def _as_begun(settings: Settings, given: Mapping[str, Any], registry: Registry) -> Settings:
    """Use the GitLab job of an interrupted release of this version, and its time of creation unless one is given.

    The same command then completes the release, even on the next day or in the next job. This is also the first request
    to the registry, so a wrong password is reported before anything is built.
    """
    for name in of_lines(settings.lines):
        found = await find_published(registry.repository(name), settings.version)
        if found:
            moment = {} if "created" in settings.model_fields_set else {"created": found.label("created")}
            return Settings(**given, **moment).by_the_job_of(found.labels)
    # With the same time of creation, a later run gets the packages of that day, too.
    return Settings(**{**given, "created": settings.created})


async def _candidate(image: BuiltImage) -> Candidate:
    digest = (await image.archive.get()).digest
    return Candidate(image.name, image.image.parent, digest, partial(_exported, await image.tarball()))


@contextlib.asynccontextmanager
async def _exported(tarball: dagger.File) -> AsyncIterator[ImageContent]:
    with tempfile.TemporaryDirectory(prefix="ska-publish-") as directory:
        path = Path(directory, "image.tar")
        await tarball.export(str(path))
        yield await anyio.to_thread.run_sync(read_archive, path)
