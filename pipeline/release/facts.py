"""What must be true of an image of a release, one function a fact.

A fact that cannot be looked at from here, because another registry does not answer, is neither verified nor refuted;
the result says so. Whose signature counts the user says; without a word the signature is not looked at.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pipeline.errors import MetadataError, RegistryError, SettingsError, VerificationError
from pipeline.images import by_name
from pipeline.labels import OCI
from pipeline.metadata import KEYS, PATH, parse
from pipeline.registry.address import Reference
from pipeline.registry.registry import Registry
from pipeline.release.bases import open_upstream
from pipeline.release.files import FileReader
from pipeline.release.lineage import is_built_on
from pipeline.release.published import Published, find_published
from pipeline.settings import STAND_IN, VERSION
from pipeline.trust.results import OF_A_RELEASE
from pipeline.trust.signature import Witness, attested_types

_FILE = PATH.lstrip("/")
#: What OCI's labels repeat.
_REPEATED = ("created", "version", "source", "url")


@dataclass(frozen=True)
class Subject:
    """An image that is verified.

    Args:
        image: as it was found.
        reference: by which it was found.
        registry: where it is, and its parents.
        allow_stand_in_base: whether it may be built on a stand-in base.
        witness: looks at signatures; None where nobody's count.
    """

    image: Published
    reference: Reference
    registry: Registry
    allow_stand_in_base: bool
    witness: Witness | None


@dataclass(frozen=True)
class Finding:
    """What was found of a fact.

    Args:
        fact: its name.
        holds: None where it could not be looked at.
        message: what was found.
    """

    fact: str
    holds: bool | None
    message: str


class _Refuted(Exception):
    """The fact does not hold."""


class _Unknown(Exception):
    """The fact cannot be looked at."""


@dataclass(frozen=True)
class Fact:
    """A fact: its name, and how it is looked at."""

    name: str
    look: Callable[[Subject], Awaitable[str]]

    async def find(self, subject: Subject) -> Finding:
        """Look at it."""
        try:
            return Finding(self.name, True, await self.look(subject))
        except _Refuted as error:
            return Finding(self.name, False, str(error))
        except _Unknown as error:
            return Finding(self.name, None, str(error))


async def _labels(subject: Subject) -> str:
    labels = subject.image.labels
    if missing := [key for key in KEYS if not labels.get(key)]:
        raise _Refuted(f"the labels {', '.join(missing)} are missing")
    for key in _REPEATED:
        if labels.get(OCI + key) != subject.image.label(key):
            raise _Refuted(f"{OCI}{key} is {labels.get(OCI + key)!r}, and {subject.image.label(key)!r} elsewhere")
    return f"{len(KEYS)} labels, and OCI's agree with them"


async def _metadata(subject: Subject) -> str:
    files = await FileReader(lambda path: path == _FILE).read(subject.image, enough=bool)
    if _FILE not in files:
        raise _Refuted(f"there is no {PATH}")
    try:
        said = parse(files[_FILE].decode())
    except (MetadataError, UnicodeDecodeError) as error:
        raise _Refuted(str(error)) from error
    for key in KEYS:
        if said.get(key) != subject.image.labels.get(key):
            raise _Refuted(f"{key} is {said.get(key)!r} in {PATH}, and {subject.image.labels.get(key)!r} as a label")
    return f"{PATH} equals the labels"


async def _release(subject: Subject) -> str:
    image, version = subject.image, subject.image.label("version")
    name, tags = image.repository.name, image.label("tags").split(",")
    if name not in by_name() or not VERSION.fullmatch(version):
        raise _Refuted(f"{name} in the version {version!r} is no image of {', '.join(by_name())}")
    if subject.reference.tag and subject.reference.tag not in tags:
        raise _Refuted(f"it is tagged {', '.join(tags)} by itself, and was found as {subject.reference.tag}")
    manifest = await image.repository.manifest(version)
    if manifest is None or manifest.digest != image.manifest.digest:
        raise _Refuted(f"the tag of its version, {version}, names {manifest.digest if manifest else 'nothing'}")
    return f"the tag {version} names it"


async def _lineage(subject: Subject) -> str:
    names = [image.repository.name for image in await _ancestors(subject)]
    return " is built on ".join(names) if len(names) > 1 else "it is the first image, and has no parent"


async def _ancestors(subject: Subject) -> list[Published]:
    """Return the image, its parent, and so on to the first one, each of them built on the next."""
    line = [subject.image]
    for _ in by_name():
        image, name = line[-1], line[-1].repository.name
        if name not in by_name():
            raise _Refuted(f"{name} is no image of {', '.join(by_name())}")
        if (parent := by_name()[name].parent) is None:
            break
        version, said = image.label("version"), image.label("baseImage")
        if said.rpartition("/")[2] != f"{parent}:{version}":
            raise _Refuted(f"{name} names {said} as its parent, which is not {parent}:{version}")
        below = await find_published(subject.registry.repository(parent), version)
        if below is None:
            raise _Refuted(f"its parent {parent}:{version} is not in {subject.registry.address}")
        if not is_built_on(image.manifest, below.manifest):
            raise _Refuted(f"the layers of {parent}:{version} are not the first of {name}")
        line.append(below)
    return line


async def _base(subject: Subject) -> str:
    image = (await _ancestors(subject))[-1]
    base, digest = image.label("baseImage"), image.labels.get(f"{OCI}base.digest", "")
    if STAND_IN.match(base):
        if subject.allow_stand_in_base:
            return f"{base}, a stand-in, which was allowed"
        raise _Refuted(f"{base} is a stand-in of one machine; --allow-stand-in-base takes it")
    if base.startswith("archive:"):
        raise _Unknown(f"{base} is an archive, which only its owner has")
    if not digest or base.partition("@")[2] != digest:
        raise _Refuted(f"{OCI}base.digest is {digest!r}, and the base {base}")
    try:
        async with open_upstream(base, subject.registry.access) as upstream:
            found = await find_published(upstream.repository, digest, image.platform)
    except (RegistryError, SettingsError) as error:
        raise _Unknown(f"{base} could not be looked at: {error}") from error
    if found is None:
        raise _Unknown(f"{base} is no longer in its registry")
    if not found.diff_ids or image.diff_ids[: len(found.diff_ids)] != found.diff_ids:
        raise _Refuted(f"the layers of {base} are not the first")
    return f"the layers of {base} are the first"


def _witness(subject: Subject) -> Witness:
    if subject.witness is None:
        raise _Unknown("nobody was named whose signature counts; give --key FILE, or --identity and --issuer")
    return subject.witness


async def _signature(subject: Subject) -> str:
    try:
        return await _witness(subject).signature(subject.image.reference())
    except VerificationError as error:
        raise _Refuted(str(error)) from error


async def _attestations(subject: Subject) -> str:
    witness, image = _witness(subject), subject.image
    types = await attested_types(image.repository, image.manifest.digest)
    try:
        await witness.attestations(image.reference(), types)
    except VerificationError as error:
        raise _Refuted(str(error)) from error
    if missing := [type_ for type_ in OF_A_RELEASE if type_ not in types]:
        sentence = f"nothing is attested of type {missing[0]}"
        if "-" not in image.label("version"):
            raise _Refuted(f"{sentence}, and a final version has passed all gates")
        if not types:
            raise _Unknown(f"{sentence}: a pre-release may be published without the gates")
    return f"signed as well: {', '.join(types)}"


FACTS = (
    Fact("labels", _labels),
    Fact("metadata", _metadata),
    Fact("release", _release),
    Fact("lineage", _lineage),
    Fact("base", _base),
    Fact("signature", _signature),
    Fact("attestations", _attestations),
)
