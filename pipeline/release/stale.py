"""Finds images that stand on an old release of ours, and says what the newest one would bring them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import partial
from typing import Any

from pipeline.build.end_of_life import warnings
from pipeline.build.settings import Settings
from pipeline.catalogue.lookup import find
from pipeline.concurrency import concurrently
from pipeline.errors import RegistryError, ReleaseError, SettingsError
from pipeline.escape import json_text
from pipeline.registry.access import Access
from pipeline.registry.address import Address, Reference, parse_address, parse_reference
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.login import Login
from pipeline.release.notes import compare_images, package_reader
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
        below: HOST/PATH whose repositories are examined, each by its newest version or `latest`; empty for none.
        max_age: days after which a release should not be stood on any more.
        exit_code: the exit code if an image is stale.
    """

    references: Sequence[str]
    below: str
    max_age: int
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


async def stale(survey: Survey, given: Mapping[str, Any], login: Login, gone: Gone | None) -> str:
    """Examine images that others built.

    Args:
        survey: which images, and how.
        given: the settings given as arguments; `registry` is read, and `created` is the day of the examination.
        login: the login to the registry of the settings; another host of an image gets none.
        gone: finds the vulnerabilities that would go; None to scan nothing.

    Returns:
        JSON: each image with the release that it stands on, and what the newest one has.

    Raises:
        SettingsError: no image, a malformed reference, or a number that is out of range.
        ReleaseError: the registry has no release.
        RegistryError: the registry of the releases refuses, or does not answer.
        dagger.ExecError: an image is stale; the JSON is its standard output (pipeline.release.verdict).
    """
    require_exit_code(survey.max_age, survey.exit_code)
    if not survey.references and not survey.below:
        raise SettingsError("Name an image with --reference, or a registry's path with --below.")
    wanted = [parse_reference(text) for text in survey.references]
    below = parse_address(survey.below) if survey.below else None
    settings = Settings(**given)
    address = parse_address(settings.registry)
    async with login.access() as access, _registries(address, access) as registry_of:
        releases = await read_releases(await registry_of(address))
        if not releases:
            raise ReleaseError(f"{address} has no release; publish one first, or check --registry.")
        found = [] if below is None else await _below(await registry_of(below))
        jobs = [partial(_examine, one, registry_of, releases, settings, survey, gone) for one in (*wanted, *found)]
        stands = await concurrently(jobs)
    is_stale = any(stand.state == STALE for stand in stands)
    text = json_text({"registry": str(address), "stale": is_stale, "images": [asdict(stand) for stand in stands]})
    container = login.container(releases[0].image.reference())
    return await verdict(container, text, survey.exit_code if is_stale else 0)


@asynccontextmanager
async def _registries(own: Address, access: Access) -> AsyncIterator[Callable[[Address], Awaitable[Registry]]]:
    """Provide registries by their addresses; only the own host gets the login."""
    opened: dict[Address, Registry] = {}
    async with AsyncExitStack() as stack:

        async def registry_of(address: Address) -> Registry:
            if address not in opened:
                is_own = address.host == own.host
                allowed = access if is_own else replace(access, username="", password=None)
                opened[address] = await stack.enter_async_context(open_registry(address, allowed))
            return opened[address]

        yield registry_of


async def _below(registry: Registry) -> list[Reference]:
    """Return the newest image of each repository below an address."""

    async def newest_image(name: str) -> Reference:
        tags = await registry.repository(name).tags()
        return Reference(registry.address, name, newest(tags) or "latest")

    names = sorted(await registry.repositories())
    return await concurrently([partial(newest_image, name) for name in names])


async def _examine(
    reference: Reference,
    registry_of: Callable[[Address], Awaitable[Registry]],
    releases: list[ReleasedImage],
    settings: Settings,
    survey: Survey,
    gone: Gone | None,
) -> Stand:
    try:
        registry = await registry_of(reference.address)
        image = await find_published(registry.repository(reference.name), reference.digest or reference.tag)
    except RegistryError as error:
        return Stand(str(reference), UNKNOWN, unknown=(str(error),))
    if image is None:
        return Stand(str(reference), UNKNOWN, unknown=("the registry has no such image",))
    pinned = str(image.reference(reference.tag))
    release = stands_on(image, releases)
    if release is None:
        return Stand(pinned, FOREIGN)
    return await _compare(pinned, release, newest_of(releases)[release.name], settings, survey, gone)


async def _compare(
    reference: str, release: ReleasedImage, last: ReleasedImage, settings: Settings, survey: Survey, gone: Gone | None
) -> Stand:
    today = settings.created
    aged = age_of(release.image, today, survey.max_age)
    is_newest = release.version == last.version
    notes = await compare_images(
        release.name, (release.image, last.image), (release.version, last.version), package_reader()
    )
    changes = [] if is_newest else [*notes.packages, *notes.python]
    newer = () if is_newest else (f"{last.version} is newer than {release.version}",)
    reasons = (*newer, *(f"the release it stands on: {reason}" for reason in aged.reasons))
    found = tuple(await gone(release.name, release.image, last.image)) if gone and not is_newest else ()
    return Stand(
        reference=reference,
        state=STALE if reasons else FRESH,
        stands_on=str(release.image.reference(release.version)),
        newest=str(last.image.reference(last.version)),
        age=_days(release.image, today),
        reasons=reasons,
        packages=tuple(asdict(change) for change in changes),
        vulnerabilities=found if gone else None,
        warnings=tuple(warnings([find(release.name).line], date.fromisoformat(today[:10]))),
        unknown=aged.unknown,
    )


def _days(image: Published, today: str) -> int | None:
    try:
        return (date.fromisoformat(today[:10]) - date.fromisoformat(image.label("created")[:10])).days
    except ValueError:
        return None


def parse_list(text: str) -> Iterable[str]:
    """Return the references of a file: one a line; empty lines and comments that begin with # do not count."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
