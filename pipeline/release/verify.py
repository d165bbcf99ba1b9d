"""For a consumer: whether an image is of a release of this pipeline, and what of that was seen to be true."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from pipeline.build.inputs import Build
from pipeline.concurrency import concurrently
from pipeline.errors import VerificationError
from pipeline.escape import json_text
from pipeline.registry.address import Reference, parse_reference
from pipeline.registry.registry import Registry, open_registry
from pipeline.release.attested import is_pre_release, open_examiner
from pipeline.release.facts import FACTS, FactResult, VerifiedImage
from pipeline.release.login import Login
from pipeline.release.published import Published, find_published
from pipeline.signing.signature import Trusted, parse_trusted


async def verify(
    text: str,
    login: Login,
    *,
    allow_stand_in_base: bool,
    trusted: Trusted,
    build: Callable[[], Awaitable[Build]],
) -> str:
    """Verify an image.

    Args:
        text: its reference, with a tag or a digest.
        login: to its registry.
        allow_stand_in_base: take an image that is built on a stand-in base.
        trusted: whose signatures count.
        build: gives the base and the tools by which signatures are looked at; not called where nobody's count.

    Returns:
        JSON: the image's reference with its digest, and every fact with what was found.

    Raises:
        VerificationError: a fact does not hold, or one of a final version could not be established; all findings are
            in the text.
        RegistryError: the registry refuses, or did not answer often enough.
    """
    reference, whose = parse_reference(text), parse_trusted(trusted)
    async with login.access() as access, open_registry(reference.address, access) as registry:
        image = await _find(registry, reference)
        examiner = await open_examiner(await build(), registry, whose) if whose else None
        subject = VerifiedImage(image, reference, registry, allow_stand_in_base, examiner)
        findings = await concurrently([partial(fact.find, subject) for fact in FACTS])
    _require(image, reference, findings)
    return _document(image, reference, findings)


async def _find(registry: Registry, reference: Reference) -> Published:
    image = await find_published(registry.repository(reference.name), reference.digest or reference.tag)
    if image is None:
        raise VerificationError(f"The registry has no image {reference}; check its name, tag and digest.")
    return image


def _require(image: Published, reference: Reference, findings: Sequence[FactResult]) -> None:
    """Refuse an image of which a fact does not hold, and a final version of which one could not be established."""
    name = image.reference(reference.tag)
    if failed := [finding.fact for finding in findings if finding.holds is False]:
        raise VerificationError(
            f"{name} is not what it should be ({', '.join(failed)}); do not use it.\n{table(findings)}"
        )
    unknown = [finding.fact for finding in findings if finding.holds is None]
    if unknown and not is_pre_release(image):
        raise VerificationError(
            f"{name} is a final version, and not all of it is verified ({', '.join(unknown)}); do not use it before it "
            f"is.\n{table(findings)}"
        )


def table(findings: Sequence[FactResult]) -> str:
    """Return the findings, a line each."""
    words = {True: "verified", False: "FAILED", None: "not verified"}
    width = max(len(finding.fact) for finding in findings)
    return "\n".join(
        f"  {words[finding.holds].ljust(12)}  {finding.fact.ljust(width)}  {finding.message}" for finding in findings
    )


def _document(image: Published, reference: Reference, findings: Sequence[FactResult]) -> str:
    document = {
        "reference": str(image.reference(reference.tag)),
        "version": image.label("version"),
        "created": image.label("created"),
        "facts": [
            {"name": finding.fact, "verified": finding.holds is True, "message": finding.message}
            for finding in findings
        ],
    }
    return json_text(document)
