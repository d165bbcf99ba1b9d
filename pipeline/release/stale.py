"""Finds images that stand on an old release of ours, and says what the newest one would bring them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import partial
from typing import Any

import dagger

from pipeline.build.end_of_life import warnings
from pipeline.build.settings import Settings
from pipeline.catalogue.lookup import find
from pipeline.concurrency import Shared, both, concurrently
from pipeline.errors import RegistryError, ReleaseError, SettingsError
from pipeline.escape import json_text
from pipeline.gates.definition import GateInputs
from pipeline.gates.scan.gate_scan import open_scanner, vulnerabilities_of
from pipeline.registry.access import Access
from pipeline.registry.address import Address, Reference, parse_address, parse_reference
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.login import Login
from pipeline.release.notes import changed_packages, package_reader
from pipeline.release.outdated import age_of, require_exit_code
from pipeline.release.published import Published, find_published
from pipeline.release.stand import ReleasedImage, newest_of, read_releases, stands_on
from pipeline.release.tags import newest
from pipeline.release.verdict import verdict

#: Reads the vulnerabilities of two images of a name, and returns those that only the first has.
Gone = Callable[[str, Published, Published], Awaitable[list[str]]]
FRESH, STALE, FOREIGN, UNKNOWN = "fresh", "stale", "foreign", "unknown"


@dataclass(frozen=True)
class Survey:
    """Which images to examine, and how.

    Args:
        references: of the images.
        file: names further images, one a line; None for none.
        below: HOST/PATH whose repositories are examined, each by its newest version or `latest`; empty for none.
        max_age: days after which a release should not be stood on any more.
        scan: whether to scan the releases for vulnerabilities.
        exit_code: the exit code if an image is stale.
    """

    references: Sequence[str]
    file: dagger.File | None
    below: str
    max_age: int
    scan: bool
    exit_code: int


@dataclass(frozen=True)
class Stand:
    """What was found about an image.

    Args:
        reference: the image, with its digest where it was found.
        state: FRESH, STALE, FOREIGN or UNKNOWN.
        stands_on: the release's reference; empty for an image that does not stand on ours.
        newest: the reference of the newest release of that image.
        age: of the release in days.
        reasons: why it is stale, a sentence each.
        packages: the packages that the newest release has in a newer version, and those that it added or removed.
        vulnerabilities: those that the newest release does not have; None if nothing was scanned.
        warnings: about the end of life of its line.
        unknown: what could not be examined, a sentence each.
    """

    reference: str
    state: str
    stands_on: str = ""
    newest: str = ""
    age: int | None = None
    reasons: tuple[str, ...] = ()
    packages: tuple[Mapping[str, str], ...] = ()
    vulnerabilities: tuple[str, ...] | None = None
    warnings: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


async def stale(
    survey: Survey, given: Mapping[str, Any], login: Login, inputs: Callable[[], Awaitable[GateInputs]]
) -> str:
    """Examine images that others built.

    Args:
        survey: which images, and how.
        given: the settings given as arguments; `registry` is read, and `created` is the day of the examination.
        login: the login to the registry of the settings; another host of an image gets none.
        inputs: of the scanner; not called when nothing is scanned.

    Returns:
        JSON: each image with the release that it stands on, and what the newest one has.

    Raises:
        SettingsError: no image, a malformed reference, or a number that is out of range.
        ReleaseError: the registry has no release.
        RegistryError: the registry of the releases refuses, or does not answer.
        dagger.ExecError: an image is stale; the JSON is its standard output (pipeline.release.verdict).
    """
    require_exit_code(survey.max_age, survey.exit_code)
    listed = parse_list(await survey.file.contents()) if survey.file else []
    wanted = [parse_reference(text) for text in (*survey.references, *listed)]
    if not wanted and not survey.below:
        raise SettingsError("Name an image with --reference or in --file, or a registry's path with --below.")
    below = parse_address(survey.below) if survey.below else None
    settings = Settings(**given)
    address = parse_address(settings.registry)
    gone = await gone_since(await inputs(), login) if survey.scan else None
    addresses = {address, *([below] if below else []), *(reference.address for reference in wanted)}
    async with login.access() as access, _registries(addresses, address, access) as registries:
        releases = await read_releases(registries[address])
        if not releases:
            raise ReleaseError(f"{address} has no release; publish one first, or check --registry.")
        found = await _below(registries[below]) if below else []
        surveyor = _Surveyor(newest_of(releases), settings.created, survey.max_age, gone)
        jobs = [partial(_examine, one, registries[one.address], releases, surveyor) for one in (*wanted, *found)]
        stands = await concurrently(jobs)
    is_stale = any(stand.state == STALE for stand in stands)
    text = json_text({"registry": str(address), "stale": is_stale, "images": [asdict(stand) for stand in stands]})
    container = login.container(releases[0].image.reference())
    return await verdict(container, text, survey.exit_code if is_stale else 0)


@asynccontextmanager
async def _registries(
    addresses: Iterable[Address], own: Address, access: Access
) -> AsyncIterator[Mapping[Address, Registry]]:
    """Open registries for the duration of a block; only the own host gets the login."""
    async with AsyncExitStack() as stack:
        opened = {}
        for address in addresses:
            allowed = access if address.host == own.host else access.without_login()
            opened[address] = await stack.enter_async_context(open_registry(address, allowed))
        yield opened


async def _below(registry: Registry) -> list[Reference]:
    """Return the newest image of each repository below an address."""

    async def newest_image(name: str) -> Reference:
        tags = await registry.repository(name).tags()
        return Reference(registry.address, name, newest(tags) or "latest")

    names = sorted(await registry.repositories())
    return await concurrently([partial(newest_image, name) for name in names])


async def _examine(
    reference: Reference, registry: Registry, releases: list[ReleasedImage], surveyor: "_Surveyor"
) -> Stand:
    try:
        image = await find_published(registry.repository(reference.name), reference.digest or reference.tag)
    except RegistryError as error:
        return Stand(str(reference), UNKNOWN, unknown=(str(error),))
    if image is None:
        return Stand(str(reference), UNKNOWN, unknown=("the registry has no such image",))
    pinned = str(image.reference(reference.tag))
    release = stands_on(image, releases)
    return replace(await surveyor.of(release), reference=pinned) if release else Stand(pinned, FOREIGN)


class _Surveyor:
    """Compares releases with the newest ones, each once, however many images stand on it."""

    def __init__(self, latest: Mapping[str, ReleasedImage], today: str, max_age: int, gone: Gone | None) -> None:
        self._latest, self._today, self._max_age, self._gone = latest, today, max_age, gone
        self._reader = package_reader()
        self._found: dict[str, Shared[Stand]] = {}

    async def of(self, release: ReleasedImage) -> Stand:
        """Return what holds for every image that stands on a release, without the image's reference."""
        key = str(release.image.reference(release.version))
        return await self._found.setdefault(key, Shared(partial(self._compare, release))).get()

    async def _compare(self, release: ReleasedImage) -> Stand:
        last, today = self._latest[release.name], self._today
        aged = age_of(release.image, today, self._max_age)
        stand = Stand(
            reference="",
            state=FRESH,
            stands_on=str(release.image.reference(release.version)),
            newest=str(last.image.reference(last.version)),
            age=aged.age,
            reasons=tuple(f"of the release that it stands on: {reason}" for reason in aged.reasons),
            vulnerabilities=() if self._gone else None,
            warnings=tuple(warnings([find(release.name).line], date.fromisoformat(today[:10]))),
            unknown=aged.unknown,
        )
        if release.version != last.version:
            stand = await self._with_news(stand, release, last)
        return replace(stand, state=STALE) if stand.reasons else stand

    async def _with_news(self, stand: Stand, release: ReleasedImage, last: ReleasedImage) -> Stand:
        images = (release.image, last.image)
        changes = await changed_packages(*images, self._reader)
        gone = tuple(await self._gone(release.name, *images)) if self._gone else None
        reasons = (f"{last.version} is newer than {release.version}", *stand.reasons)
        packages = tuple(asdict(change) for change in changes)
        return replace(stand, reasons=reasons, packages=packages, vulnerabilities=gone)


async def gone_since(inputs: GateInputs, login: Login) -> Gone:
    """Return what finds the vulnerabilities of an image that a later one does not have.

    Args:
        inputs: of the scanner.
        login: the login to the images' registry.

    Raises:
        ToolError, HoldError, SettingsError: nothing can be scanned.
    """
    scanner = await open_scanner(inputs)

    async def identifiers(name: str, image: Published) -> list[str]:
        found = await vulnerabilities_of(name, login.container(image.reference()), scanner)
        return [f"{one.vulnerability} {one.package} ({one.severity})" for one in found]

    async def gone(name: str, before: Published, after: Published) -> list[str]:
        old, new = await both(partial(identifiers, name, before), partial(identifiers, name, after))
        return list(dict.fromkeys(one for one in old if one not in new))

    return gone


def parse_list(text: str) -> Iterable[str]:
    """Return the references of a file: one a line; empty lines and comments that begin with # do not count."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
