"""Finds the images of a release that should be rebuilt: because of newer packages, a moved base, or age.

Packages are looked up in the archive snapshot that a release built at `created` would use. That release, or a later
one, therefore contains the updates that caused it.
"""

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from pipeline.build.base import distribution_of
from pipeline.build.base_reference import BaseReference
from pipeline.build.end_of_life import warnings
from pipeline.build.settings import Settings
from pipeline.catalogue.image import Image
from pipeline.catalogue.lines import Line, find_line
from pipeline.catalogue.lookup import find, of_lines
from pipeline.checks import Subject
from pipeline.checks.base_checks import SECURITY_UPDATES
from pipeline.concurrency import concurrently
from pipeline.errors import RegistryError, ReleaseError, SettingsError
from pipeline.escape import json_text
from pipeline.registry.access import Access
from pipeline.registry.address import parse_address
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.login import Login
from pipeline.release.published import Published, find_images, newest_version
from pipeline.release.tags import parse_version
from pipeline.release.upstream import open_upstream
from pipeline.release.verdict import verdict
from pipeline.steps.install import package_lists
from pipeline.steps.step import SNAPSHOT

#: How the check of pending updates describes a package.
_PENDING = re.compile(r"(?P<package>\S+): expected (?P<newer>\S+), found (?P<installed>\S+)")


@dataclass(frozen=True)
class Question:
    """Which release to examine, and how.

    Args:
        tag: the release's version; empty for the newest release.
        max_age: days after which an image should be rebuilt.
        exit_code: the exit code if an image should be rebuilt.
    """

    tag: str
    max_age: int
    exit_code: int


@dataclass(frozen=True)
class Staleness:
    """The findings about an image.

    Args:
        reasons: the reasons for rebuilding it, a sentence each.
        base: the reference that the base's tag names now, if it has moved.
        packages: the packages with a newer version in the security archive.
        unknown: what could not be examined, a sentence each.
        age: the image's age in days; None where it is not known or not examined.
    """

    reasons: tuple[str, ...] = ()
    base: str = ""
    packages: tuple[Mapping[str, str], ...] = ()
    unknown: tuple[str, ...] = ()
    age: int | None = None


async def outdated(question: Question, given: Mapping[str, Any], login: Login) -> str:
    """Examine every image of a release.

    Args:
        question: which release, and how.
        given: the settings given as arguments; `registry` and `lines` are read, and `created` and `snapshot` are the
            moment of the examination.
        login: the login to the registry.

    Returns:
        JSON: each image with the reasons for rebuilding it, and with what could not be examined.

    Raises:
        SettingsError: the age or the exit code is out of range.
        ReleaseError: nothing is published.
        dagger.ExecError: an image should be rebuilt; the JSON is its standard output (pipeline.release.verdict).
    """
    require_exit_code(question.max_age, question.exit_code)
    settings = Settings(**given)
    address = parse_address(settings.registry)
    async with login.access() as access, open_registry(address, access) as registry:
        names = of_lines(settings.lines)
        version = parse_version(question.tag) if question.tag else await _newest(registry, names)
        images = await find_images(registry, version, names)
        if not images:
            raise ReleaseError(f"{address} has no image of {version}; check --registry, --tag and --line.")

        async def look(name: str) -> dict[str, object]:
            image = images.get(name)
            reference = str(image.reference(version)) if image else ""
            base = _base_of(names[name].line, images)
            findings = await _look(image, question.max_age, settings, base, access, login)
            return _entry(name, reference, findings or [Staleness(unknown=(f"{version} does not have it",))])

        entries = await concurrently([partial(look, name) for name in names])
    is_outdated = any(entry["reasons"] for entry in entries)
    lines = [find_line(name) for name in settings.lines]
    document = {
        "registry": str(address),
        "version": version,
        "snapshots": {line.name: settings.snapshot_of_a_release(_base_of(line, images)) for line in lines},
        "outdated": is_outdated,
        "warnings": warnings(lines, date.fromisoformat(settings.created[:10])),
        "images": entries,
    }
    text = json_text(document)
    any_image = next(iter(images.values()))
    return await verdict(login.container(any_image.reference()), text, question.exit_code if is_outdated else 0)


def require_exit_code(max_age: int, exit_code: int) -> None:
    """Refuse an age or an exit code that is out of range.

    Raises:
        SettingsError: one of them is.
    """
    if max_age < 0:
        raise SettingsError(f"The argument max_age must be a number of days such as 30, not {max_age}.")
    # A shell reduces exit codes modulo 256, so 256 would mean that nothing is outdated.
    if not 0 <= exit_code <= 255:
        raise SettingsError(f"The argument exit_code must be a number from 0 to 255, not {exit_code}.")


def _base_of(line: Line, images: Mapping[str, Published]) -> str:
    """Return the base that the first image of a line names in a release."""
    found = (image for name, image in images.items() if find(name).line == line and find(name).parent is None)
    first = next(found, None)
    return first.label("baseImage") if first else ""


async def _newest(registry: Registry, images: Mapping[str, Image]) -> str:
    if version := await newest_version(registry, images):
        return version
    raise ReleaseError(f"{registry.address} has no release; publish one first, or check --registry.")


def _entry(name: str, reference: str, findings: Iterable[Staleness]) -> dict[str, object]:
    listed = list(findings)
    return {
        "name": name,
        "reference": reference,
        "reasons": [reason for finding in listed for reason in finding.reasons],
        "base": next((finding.base for finding in listed if finding.base), ""),
        "packages": [dict(package) for finding in listed for package in finding.packages],
        "unknown": [sentence for finding in listed for sentence in finding.unknown],
    }


async def _look(
    image: Published | None, max_age: int, settings: Settings, base: str, access: Access, login: Login
) -> list[Staleness]:
    # An image that joined the catalogue later is not a reason: a rebuild of this version would lack it, too.
    if image is None:
        return []
    findings = [age_of(image, settings.created, max_age), await _packages(image, settings, base, login)]
    if find(image.repository.name).parent is None:
        findings.append(await _base(image.label("baseImage"), access))
    return findings


def age_of(image: Published, today: str, max_age: int) -> Staleness:
    """Return an image's age, and whether it is older than a number of days."""
    created = image.label("created")
    try:
        age = (date.fromisoformat(today[:10]) - date.fromisoformat(created[:10])).days
    except ValueError:
        return Staleness(unknown=(f"its label has no valid day of creation ({created!r})",))
    if age < 0:
        return Staleness(unknown=(f"its day of creation is in the future ({created!r})",))
    return Staleness(reasons=(f"it is {age} days old; the limit is {max_age}",) if age > max_age else (), age=age)


async def _packages(image: Published, settings: Settings, base: str, login: Login) -> Staleness:
    entry = find(image.repository.name)
    # The variable makes the command differ in every run; an engine would otherwise reuse an earlier day's result.
    container = login.container(image.reference()).with_env_variable("SKA_LOOK", uuid.uuid4().hex)
    if snapshot := settings.snapshot_of_a_release(base):
        container = container.with_env_variable(SNAPSHOT, snapshot)
    result = await SECURITY_UPDATES.run(
        Subject(
            image=entry.name,
            container=container,
            size_budget=0,
            package_lists=package_lists(container, entry.name),
            distribution=distribution_of(entry.line, base),
            unwanted="",
            sibling=lambda _: container,
        )
    )
    lines = () if result.passed else result.message.splitlines()
    matches = [_PENDING.fullmatch(line) for line in lines]
    packages = tuple(match.groupdict() for match in matches if match)
    unknown = tuple(line for line, match in zip(lines, matches, strict=True) if not match)
    names = ", ".join(package["package"] for package in packages)
    reasons = (f"security updates are pending: {names}",) if packages else ()
    return Staleness(reasons, packages=packages, unknown=unknown)


async def _base(base: str, access: Access) -> Staleness:
    name, _, digest = base.partition("@")
    reference = BaseReference(base)
    if reference.is_stand_in or reference.is_archive:
        return Staleness(unknown=(f"the base {base} is not in a registry, so a newer one cannot be found",))
    try:
        async with open_upstream(base, access) as upstream:
            now = await upstream.repository.manifest(upstream.reference.tag) if upstream.reference.tag else None
    except (RegistryError, SettingsError) as error:
        return Staleness(unknown=(f"the base {name} could not be looked up: {error}",))
    if now is None:
        return Staleness(unknown=(f"the base {base} has no tag, or its tag is gone",))
    if now.digest == digest:
        return Staleness()
    return Staleness((f"the base {name} is {now.digest} now, and was {digest}",), base=f"{name}@{now.digest}")
