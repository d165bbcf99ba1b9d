"""Which images of a release should be built again, and why: newer packages, a base that moved, age."""

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from pipeline.checks import Subject
from pipeline.checks.base import SECURITY_UPDATES
from pipeline.concurrency import concurrently
from pipeline.errors import RegistryError, ReleaseError, SettingsError
from pipeline.escape import json_text
from pipeline.images import by_name
from pipeline.registry.access import Access
from pipeline.registry.address import parse_address
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.bases import open_upstream
from pipeline.release.login import Login
from pipeline.release.published import Published, find_images
from pipeline.release.tags import newest, parse_version
from pipeline.settings import STAND_IN, Settings
from pipeline.verdict import verdict

#: What the check of pending updates says of a package.
_PENDING = re.compile(r"(?P<package>\S+): expected (?P<newer>\S+), found (?P<installed>\S+)")


@dataclass(frozen=True)
class Question:
    """What is asked of a release.

    Args:
        tag: its version; empty for the newest release.
        max_age: days after which an image should be built again.
        exit_code: when there is a reason for one of them.
    """

    tag: str
    max_age: int
    exit_code: int


@dataclass(frozen=True)
class Finding:
    """What was found of an image.

    Args:
        reasons: to build it again, a sentence each.
        packages: those that have a newer version in the security archive.
        unknown: what could not be looked at, a sentence each.
    """

    reasons: tuple[str, ...] = ()
    packages: tuple[Mapping[str, str], ...] = ()
    unknown: tuple[str, ...] = ()


async def outdated(question: Question, given: Mapping[str, Any], login: Login) -> str:
    """Look at every image of a release.

    Args:
        question: about which, and what counts.
        given: the settings that were given as arguments; `registry` is read, and `created` is the day of the look.
        login: to the registry.

    Returns:
        JSON: each image with its reasons, and with what could not be looked at.

    Raises:
        ReleaseError: nothing is published.
        dagger.ExecError: there is a reason; the text is its standard output (pipeline.verdict).
    """
    settings = Settings(**given)
    address = parse_address(settings.registry)
    async with login.access() as access, open_registry(address, access) as registry:
        version = parse_version(question.tag) if question.tag else await _newest(registry)
        images = await find_images(registry, version)
        if not images:
            raise ReleaseError(f"{address} has no image of {version}; check --registry and --tag.")

        async def look(name: str) -> dict[str, object]:
            image = images.get(name)
            reference = str(image.reference(version)) if image else ""
            return _entry(name, reference, await _look(image, question.max_age, settings, access, login))

        entries = await concurrently([partial(look, name) for name in by_name()])
    is_outdated = any(entry["reasons"] for entry in entries)
    document = {"registry": str(address), "version": version, "outdated": is_outdated, "images": entries}
    text = json_text(document)
    any_image = next(iter(images.values()))
    return await verdict(login.container(any_image.reference()), text, question.exit_code if is_outdated else 0)


async def _newest(registry: Registry) -> str:
    if version := newest(await registry.repository(next(iter(by_name()))).tags()):
        return version
    raise ReleaseError(f"{registry.address} has no release; publish one first, or check --registry.")


def _entry(name: str, reference: str, findings: Iterable[Finding]) -> dict[str, object]:
    listed = list(findings)
    return {
        "name": name,
        "reference": reference,
        "reasons": [reason for finding in listed for reason in finding.reasons],
        "packages": [dict(package) for finding in listed for package in finding.packages],
        "unknown": [sentence for finding in listed for sentence in finding.unknown],
    }


async def _look(
    image: Published | None, max_age: int, settings: Settings, access: Access, login: Login
) -> list[Finding]:
    if image is None:
        return [Finding(reasons=("it is not published",))]
    findings = [_age(image, settings.created, max_age), await _packages(image, login)]
    if by_name()[image.repository.name].parent is None:
        findings.append(await _base(image.label("baseImage"), access))
    return findings


def _age(image: Published, today: str, max_age: int) -> Finding:
    created = image.label("created")
    try:
        age = (date.fromisoformat(today[:10]) - date.fromisoformat(created[:10])).days
    except ValueError:
        return Finding(unknown=(f"its label says no day of its creation ({created!r})",))
    if age < 0:
        return Finding(unknown=(f"its label names a day of its creation that is yet to come ({created!r})",))
    return Finding(reasons=(f"it is {age} days old, and may be {max_age}",) if age > max_age else ())


async def _packages(image: Published, login: Login) -> Finding:
    name = image.repository.name
    # Another command in every run: engines would keep the answer of an earlier day.
    container = login.container(image.reference()).with_env_variable("SKA_LOOK", uuid.uuid4().hex)
    result = await SECURITY_UPDATES.run(Subject(name, container, 0, "", "", lambda _: container))
    lines = () if result.passed else result.message.splitlines()
    matches = [_PENDING.fullmatch(line) for line in lines]
    packages = tuple(match.groupdict() for match in matches if match)
    unknown = tuple(line for line, match in zip(lines, matches, strict=True) if not match)
    names = ", ".join(package["package"] for package in packages)
    reasons = (f"security updates are pending: {names}",) if packages else ()
    return Finding(reasons, packages, unknown)


async def _base(base: str, access: Access) -> Finding:
    name, _, digest = base.partition("@")
    if STAND_IN.fullmatch(base) or name.startswith("archive:"):
        return Finding(unknown=(f"the base {base} is in no registry, so that nobody knows of a newer one",))
    try:
        async with open_upstream(base, access) as upstream:
            now = await upstream.repository.manifest(upstream.reference.tag) if upstream.reference.tag else None
    except (RegistryError, SettingsError) as error:
        return Finding(unknown=(f"the base {name} could not be asked for: {error}",))
    if now is None:
        return Finding(unknown=(f"the base {base} has no tag, or no longer",))
    return Finding(reasons=(f"the base {name} is {now.digest} now, and was {digest}",) if now.digest != digest else ())
