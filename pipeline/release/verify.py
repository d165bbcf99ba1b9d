"""Verifies for a consumer that an image was released by this pipeline."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from functools import partial

from pipeline.build.end_of_life import EndOfLife
from pipeline.build.inputs import Build
from pipeline.concurrency import concurrently
from pipeline.errors import VerificationError
from pipeline.escape import escaped, json_text
from pipeline.metadata import END_OF_LIFE
from pipeline.registry.address import Reference, parse_reference
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.attested import is_pre_release, open_examiner
from pipeline.release.facts import FACTS, FactResult, VerifiedImage
from pipeline.release.login import Login
from pipeline.release.published import Published, find_published
from pipeline.signing.notation_signature import open_notation_witness
from pipeline.signing.signature import Trusted, parse_trusted
from pipeline.signing.trust_store import NotationTrust, parse_notation_trust

_NOBODYS = NotationTrust()


async def verify(
    text: str,
    login: Login,
    *,
    allow_stand_in_base: bool,
    trusted: Trusted,
    build: Callable[[], Awaitable[Build]],
    now: str,
    notation: NotationTrust = _NOBODYS,
    required: Sequence[str] = (),
) -> str:
    """Verify an image.

    Args:
        text: the image's reference, with a tag or a digest.
        login: the login to its registry.
        allow_stand_in_base: accept an image that is built on a stand-in base.
        trusted: the key or identity whose signatures by cosign are accepted.
        build: provides the base and the tools that verify signatures; not called unless some are accepted.
        now: the present time, as in 2026-01-31T12:00:00Z.
        notation: whose signatures by notation are accepted; with both, an image needs both.
        required: the kinds of signatures that an image needs.

    Returns:
        JSON: the image's reference with its digest, the finding on every fact, and warnings, as about its end of life.

    Raises:
        VerificationError: a fact is not true, or one of a final version could not be examined; the text has all
            findings.
        RegistryError: the registry refuses, or does not answer.
    """
    reference = parse_reference(text)
    whose, notations = parse_trusted(trusted), parse_notation_trust(notation)
    async with login.access() as access, open_registry(reference.address, access) as registry:
        image = await _find(registry, reference)
        examiner = await open_examiner(await build(), registry, whose) if whose else None
        witness = await open_notation_witness(await build(), registry, notations) if notations else None
        subject = VerifiedImage(image, reference, registry, allow_stand_in_base, examiner, witness, required)
        findings = await concurrently([partial(fact.find, subject) for fact in FACTS])
    _require(image, reference, findings)
    return _document(image, reference, findings, date.fromisoformat(now[:10]))


async def _find(registry: Registry, reference: Reference) -> Published:
    image = await find_published(registry.repository(reference.name), reference.digest or reference.tag)
    if image is None:
        raise VerificationError(f"The registry has no image {reference}; check its name, tag and digest.")
    return image


def _require(image: Published, reference: Reference, findings: Sequence[FactResult]) -> None:
    """Refuse an image if a fact is not true, and a final version if a fact could not be examined."""
    name = image.reference(reference.tag)
    if failed := [finding.fact for finding in findings if finding.holds is False]:
        raise VerificationError(f"{name} failed verification ({', '.join(failed)}); do not use it.\n{table(findings)}")
    unknown = [finding.fact for finding in findings if finding.holds is None]
    if unknown and not is_pre_release(image):
        raise VerificationError(
            f"{name} is a final version, but not every fact is verified ({', '.join(unknown)}); do not use it until "
            f"they are.\n{table(findings)}"
        )


def table(findings: Sequence[FactResult]) -> str:
    """Return a line for each finding."""
    words = {True: "verified", False: "FAILED", None: "not verified"}
    width = max(len(finding.fact) for finding in findings)
    return "\n".join(
        f"  {words[finding.holds].ljust(12)}  {finding.fact.ljust(width)}  {finding.message}" for finding in findings
    )


def _warnings(image: Published, today: date) -> list[str]:
    text = image.labels.get(END_OF_LIFE, "")
    if not text:
        return []
    try:
        end = EndOfLife("The image", date.fromisoformat(text))
    except ValueError:
        return [f"The image names {escaped(text)!r} as its end of life, which is not a day."]
    warning = end.warning(today)
    return [warning] if warning else []


def _document(image: Published, reference: Reference, findings: Sequence[FactResult], today: date) -> str:
    document = {
        "reference": str(image.reference(reference.tag)),
        "version": image.label("version"),
        "created": image.label("created"),
        "end_of_life": image.labels.get(END_OF_LIFE, ""),
        "warnings": _warnings(image, today),
        "facts": [
            {"name": finding.fact, "verified": finding.holds is True, "message": finding.message}
            for finding in findings
        ],
    }
    return json_text(document)
