"""Signs a promoted release again, because its signatures name the repositories it came from."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from pipeline.build.inputs import Build
from pipeline.catalogue.lookup import by_name
from pipeline.concurrency import concurrently
from pipeline.errors import SettingsError, VerificationError
from pipeline.escape import escaped
from pipeline.evidence.predicates import Origins
from pipeline.registry.registry import Registry
from pipeline.release.attested import Examiner, open_examiner
from pipeline.release.published import Published
from pipeline.release.push import Sign
from pipeline.signing.attestation import Attestation
from pipeline.signing.reach import file_of
from pipeline.signing.sign import Signing, open_signing, sign_images
from pipeline.signing.signature import Trusted, parse_trusted
from pipeline.signing.signer import Signer, parse_signer


@dataclass(frozen=True)
class Resigning:
    """Signs a release again.

    Args:
        signer: the new signer.
        trusted: the key or identity that must have signed it before; None for the signer's own key.
        build: provides the base and the tools.
    """

    signer: Signer
    trusted: Trusted | None
    build: Callable[[], Awaitable[Build]]

    async def open(self, images: Sequence[Published], origin: Registry, target: Registry) -> Sign:
        """Verify a release's signatures and attestations, and return a function that signs it in the target.

        Args:
            images: the images of the release.
            origin: the source registry.
            target: the target registry.

        Raises:
            VerificationError: an image is not signed as required, so it is not signed again.
            SigningError: the key cannot be used.
        """
        build = await self.build()
        signing = await open_signing(build, target, self.signer)
        examiner = await open_examiner(build, origin, self._trusted(signing))
        found = await concurrently([partial(_attested, examiner, image, images) for image in images])
        names = [image.repository.name for image in images]
        return partial(sign_images, signing, attestations=dict(zip(names, found, strict=True)))

    def _trusted(self, signing: Signing) -> Trusted:
        if self.trusted:
            return self.trusted
        if signing.public_key:
            return Trusted(file_of("cosign.pub", signing.public_key), tlog=self.signer.tlog)
        raise SettingsError(
            "A release is signed again only if its present signatures are valid; give their signer with --from-key "
            "FILE, or with --from-identity and --from-issuer."
        )


def parse_resigning(signer: Signer, trusted: Trusted, build: Callable[[], Awaitable[Build]]) -> Resigning | None:
    """Return how a release is signed again; None without a signer.

    Raises:
        SettingsError: as of `parse_signer` and `parse_trusted`, or a trusted key was given without a signer.
    """
    who, whose = parse_signer(signer), parse_trusted(trusted)
    if who is None and whose is not None:
        raise SettingsError(
            "The option --from-key verifies a release that is signed again; give --key too, or leave out --from-key."
        )
    return Resigning(who, whose, build) if who else None


async def _attested(examiner: Examiner, image: Published, images: Sequence[Published]) -> Sequence[Attestation]:
    reference = image.reference()
    try:
        await examiner.witness.signature(reference)
        evidence = await examiner.evidence(image)
        if evidence.origins is not None:
            _require_parent(image, evidence.origins, images)
    except VerificationError as error:
        raise VerificationError(
            f"{reference} is not signed again, because its attestations are not valid ({escaped(str(error))}); publish "
            "it with a signature, or name its signer with --from-key."
        ) from error
    return evidence.attestations


def _require_parent(image: Published, origins: Origins, images: Sequence[Published]) -> None:
    """Refuse an image whose provenance names another parent or base than the release has."""
    digests = {each.repository.name: each.manifest.digest for each in images}
    parent = by_name()[image.repository.name].parent
    if parent and origins.parent != digests[parent]:
        raise VerificationError(
            f"its provenance names {parent}@{origins.parent}, but the release has {digests[parent]}"
        )
    line = by_name()[image.repository.name].line
    first = next(each for each in images if by_name()[each.repository.name].line == line)
    if origins.base != (base := first.label("baseImage")):
        raise VerificationError(f"its provenance names the base {origins.base}, but the release has {base}")
