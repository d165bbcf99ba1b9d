"""The facts that must be true of a release's image, one function each.

A fact is neither verified nor refuted if another registry does not answer, or if no trusted key or identity was given;
`verify` counts that as a failure of a final version.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.build.base_reference import BaseReference
from pipeline.build.labelling import ANNOTATED, OCI
from pipeline.build.signature_kinds import ACCEPTED_BY, COSIGN, NOTATION
from pipeline.build.version import Version
from pipeline.catalogue.lookup import by_name
from pipeline.errors import MetadataError, RegistryError, SettingsError, VerificationError
from pipeline.escape import escaped
from pipeline.evidence.predicates import Origins
from pipeline.metadata import KEYS, PATH, parse
from pipeline.registry.address import Reference
from pipeline.registry.registry import Registry
from pipeline.release.attested import Examiner
from pipeline.release.files import FileReader
from pipeline.release.lineage import is_built_on
from pipeline.release.published import Published, find_published
from pipeline.release.upstream import find_base, open_upstream, rests_on
from pipeline.signing.notation_signature import NotationWitness

_FILE = PATH.lstrip("/")
#: The labels that OCI's labels repeat.
_REPEATED = ("created", "version", "source", "url")


@dataclass(frozen=True)
class VerifiedImage:
    """An image under verification.

    Args:
        image: the image.
        reference: the reference by which it was found.
        registry: the registry of the image and its parents.
        allow_stand_in_base: accept an image that is built on a stand-in base.
        examiner: verifies cosign's signatures and attestations; None if no trusted key or identity was given.
        notation: verifies notation's signatures; None if no root and identity were given.
        required: the kinds of signatures that the image needs.
    """

    image: Published
    reference: Reference
    registry: Registry
    allow_stand_in_base: bool
    examiner: Examiner | None
    notation: NotationWitness | None = None
    required: Sequence[str] = ()


@dataclass(frozen=True)
class FactResult:
    """The result of examining a fact.

    Args:
        fact: the fact's name.
        holds: whether it is true; None if it could not be examined.
        message: the finding.
    """

    fact: str
    holds: bool | None
    message: str


class _Refuted(Exception):
    """The fact is not true."""


class _Unknown(Exception):
    """The fact cannot be examined."""


@dataclass(frozen=True)
class Fact:
    """A fact: its name, and the function that examines it."""

    name: str
    look: Callable[[VerifiedImage], Awaitable[str]]

    async def find(self, subject: VerifiedImage) -> FactResult:
        """Examine an image."""
        try:
            return FactResult(self.name, True, escaped(await self.look(subject)))
        except _Refuted as error:
            return FactResult(self.name, False, escaped(str(error)))
        except _Unknown as error:
            return FactResult(self.name, None, escaped(str(error)))


async def _labels(subject: VerifiedImage) -> str:
    labels = subject.image.labels
    if missing := [key for key in KEYS if not labels.get(key)]:
        raise _Refuted(f"the labels {', '.join(missing)} are missing")
    for key in _REPEATED:
        if labels.get(OCI + key) != subject.image.label(key):
            raise _Refuted(f"{OCI}{key} is {labels.get(OCI + key)!r}, but {subject.image.label(key)!r} elsewhere")
    annotations = subject.image.manifest.annotations
    for key in ANNOTATED:
        # The base has a digest as a label of the first image only; `_lineage` compares the parents' digests.
        if key in labels and annotations.get(key, labels[key]) != labels[key]:
            raise _Refuted(f"the annotation {key} is {annotations[key]!r}, but the label is {labels[key]!r}")
    return f"{len(KEYS)} labels; OCI's labels and annotations agree with them"


async def _metadata(subject: VerifiedImage) -> str:
    files = await FileReader(lambda path: path == _FILE).read(subject.image, enough=bool)
    if _FILE not in files:
        raise _Refuted(f"there is no {PATH}")
    try:
        written = parse(files[_FILE].decode())
    except (MetadataError, UnicodeDecodeError) as error:
        raise _Refuted(str(error)) from error
    for key in KEYS:
        if written.get(key) != subject.image.labels.get(key):
            raise _Refuted(f"{key} is {written.get(key)!r} in {PATH}, but {subject.image.labels.get(key)!r} as a label")
    return f"{PATH} equals the labels"


async def _release(subject: VerifiedImage) -> str:
    image, version = subject.image, subject.image.label("version")
    name, tags = image.repository.name, image.label("tags").split(",")
    if name not in by_name() or not Version(version).is_semantic:
        raise _Refuted(f"{name} in the version {version!r} is not one of the images {', '.join(by_name())}")
    if subject.reference.tag and subject.reference.tag not in tags:
        raise _Refuted(f"it is tagged {', '.join(tags)} by itself, but it was found as {subject.reference.tag}")
    manifest = await image.repository.manifest(version)
    if manifest is None or manifest.digest != image.manifest.digest:
        raise _Refuted(f"the tag of its version, {version}, names {manifest.digest if manifest else 'nothing'}")
    return f"the tag {version} names it"


async def _lineage(subject: VerifiedImage) -> str:
    line = await _ancestors(subject)
    is_stated = await _stated(subject, subject.image) is not None
    for image, below in pairwise(line) if is_stated else ():
        origins, name = await _stated(subject, image), below.repository.name
        if origins is None or origins.parent != below.manifest.digest:
            raise _Refuted(
                f"the signed provenance of {image.repository.name} names {name}@{origins and origins.parent}, but the "
                f"tag of that version names {below.manifest.digest}"
            )
    names = [image.repository.name for image in line]
    return " is built on ".join(names) if len(names) > 1 else "it is the first image and has no parent"


async def _ancestors(subject: VerifiedImage) -> list[Published]:
    """Return the image, its parent, and so on to the first one, each of them built on the next."""
    line = [subject.image]
    for _ in by_name():
        image, name = line[-1], line[-1].repository.name
        if name not in by_name():
            raise _Refuted(f"{name} is not one of the images {', '.join(by_name())}")
        if (parent := by_name()[name].parent) is None:
            break
        version, stated = image.label("version"), image.label("baseImage")
        if stated.rpartition("/")[2] != f"{parent}:{version}":
            raise _Refuted(f"{name} names {stated} as its parent, which is not {parent}:{version}")
        below = await find_published(subject.registry.repository(parent), version)
        if below is None:
            raise _Refuted(f"its parent {parent}:{version} is not in {subject.registry.address}")
        if not is_built_on(image.manifest, below.manifest):
            raise _Refuted(f"{name} does not begin with the layers of {parent}:{version}")
        # Releases made before images had this annotation lack it.
        annotated = image.manifest.annotations.get(f"{OCI}base.digest", below.manifest.digest)
        if annotated != below.manifest.digest:
            raise _Refuted(
                f"{name} is annotated with the parent {annotated}, but the tag {version} names {below.manifest.digest}"
            )
        line.append(below)
    return line


async def _stated(subject: VerifiedImage, image: Published) -> Origins | None:
    """Return the signed provenance of the image or an ancestor; None if none is required."""
    if subject.examiner is None:
        return None
    try:
        if image is subject.image:
            return (await subject.examiner.evidence(image)).origins
        return await subject.examiner.origins(image)
    except VerificationError as error:
        raise _Unknown(f"the attestations of {image.repository.name} are not valid: {error}") from error


async def _base(subject: VerifiedImage) -> str:
    image = (await _ancestors(subject))[-1]
    base, digest = image.label("baseImage"), image.labels.get(f"{OCI}base.digest", "")
    signed = await _signed_base(subject, base)
    reference = BaseReference(base)
    if reference.is_stand_in:
        if subject.allow_stand_in_base:
            return f"{base}, a stand-in, which you allowed"
        raise _Refuted(f"{base} is a stand-in base of one machine; --allow-stand-in-base accepts it")
    if not reference.is_archive and (not digest or digest != reference.digest):
        raise _Refuted(f"{OCI}base.digest is {digest!r}, but the base is {base}")
    try:
        if reference.is_archive:
            raise RegistryError(f"{base} is an archive, which is in no registry")
        found = await _upstream_layers(subject, base, digest)
    except (RegistryError, SettingsError) as error:
        if signed:
            return f"{signed}; its layers could not be compared: {error}"
        raise _Unknown(f"{base} could not be examined: {error}") from error
    if not found:
        raise _Refuted(f"the image does not begin with the layers of {base}")
    return f"the image begins with the layers of {base}"


async def _signed_base(subject: VerifiedImage, base: str) -> str:
    """Return a sentence about the base in the image's signed provenance; empty without a trusted key or identity."""
    origins = await _stated(subject, subject.image)
    if origins is None:
        return ""
    if origins.base != base:
        raise _Refuted(f"the signed provenance names the base {origins.base}, but the first image names {base}")
    return f"the signed provenance names {base}"


async def _upstream_layers(subject: VerifiedImage, base: str, digest: str) -> bool:
    """Return whether the image begins with the layers of its base, as the base's own registry has them."""
    async with open_upstream(base, subject.registry.access) as upstream:
        found = await find_base(upstream.repository, digest, subject.image.platform)
        if found is None:
            raise RegistryError(f"{base} is no longer in its registry")
        # It may read layers of the base.
        return await rests_on(subject.image, found)


def _examiner(subject: VerifiedImage) -> Examiner:
    if subject.examiner is None:
        raise _Unknown("no trusted key or identity was given; give --key FILE, or --identity and --issuer")
    return subject.examiner


async def _signature(subject: VerifiedImage) -> str:
    """Require a signature of each kind whose signer was named, and every kind that the settings require."""
    witnesses = {COSIGN: subject.examiner and subject.examiner.witness, NOTATION: subject.notation}
    if not any(witnesses.values()):
        _examiner(subject)
    reference = subject.image.reference()
    try:
        found = [await witness.signature(reference) for witness in witnesses.values() if witness]
    except VerificationError as error:
        raise _Refuted(str(error)) from error
    for kind in subject.required:
        if not witnesses[kind]:
            raise _Unknown(f"a signature of {kind} is required, and nobody was named; give {ACCEPTED_BY[kind]}")
    return "; ".join(found)


async def _attestations(subject: VerifiedImage) -> str:
    examiner = _examiner(subject)
    try:
        attestations = (await examiner.evidence(subject.image)).attestations
    except VerificationError as error:
        raise _Refuted(str(error)) from error
    if not attestations:
        raise _Unknown("it has no attestations: a pre-release may be published without the gates")
    return f"signed, and all gates passed: {', '.join(dict.fromkeys(each.type for each in attestations))}"


FACTS = (
    Fact("labels", _labels),
    Fact("metadata", _metadata),
    Fact("release", _release),
    Fact("lineage", _lineage),
    Fact("base", _base),
    Fact("signature", _signature),
    Fact("attestations", _attestations),
)
