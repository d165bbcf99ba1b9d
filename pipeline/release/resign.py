"""A release that is promoted, signed again: what it was signed with names the repositories it came from."""

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
from pipeline.signing.cosign import file_of
from pipeline.signing.sign import Signing, open_signing, sign_images
from pipeline.signing.signature import Trusted, parse_trusted
from pipeline.signing.signer import Signer, parse_signer


@dataclass(frozen=True)
class Resigning:
    """How a release is signed again.

    Args:
        signer: who signs it.
        trusted: whose signatures it has to have before; None for the signer's own.
        build: gives the base and the tools that are used.
    """

    signer: Signer
    trusted: Trusted | None
    build: Callable[[], Awaitable[Build]]

    async def open(self, images: Sequence[Published], origin: Registry, target: Registry) -> Sign:
        """Look at what was signed, and return what signs it in the registry that the release goes to.

        Args:
            images: of the release.
            origin: where they are.
            target: where they go.

        Raises:
            VerificationError: an image is not signed as it should be, and so is not signed again.
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
            "A release is signed again when it was signed before, and by whom is not known; give --from-key FILE, or "
            "--from-identity and --from-issuer."
        )


def parse_resigning(signer: Signer, trusted: Trusted, build: Callable[[], Awaitable[Build]]) -> Resigning | None:
    """Return how a release is signed again; None where nobody signs it.

    Raises:
        SettingsError: as of `parse_signer` and `parse_trusted`, or whose signatures count was said in vain.
    """
    who, whose = parse_signer(signer), parse_trusted(trusted)
    if who is None and whose is not None:
        raise SettingsError(
            "A release that is promoted is verified to be signed again; give --key, or leave out --from-key."
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
            f"{reference} is not signed again, because what is signed of it does not hold ({escaped(str(error))}); "
            "publish it with a signature, or name its signer with --from-key."
        ) from error
    return evidence.attestations


def _require_parent(image: Published, origins: Origins, images: Sequence[Published]) -> None:
    """Refuse an image whose provenance names another parent or base than its release has."""
    digests = {one.repository.name: one.manifest.digest for one in images}
    parent = by_name()[image.repository.name].parent
    if parent and origins.parent != digests[parent]:
        raise VerificationError(
            f"its provenance names {parent}@{origins.parent}, and the release has {digests[parent]}"
        )
    if origins.base != (base := images[0].label("baseImage")):
        raise VerificationError(f"its provenance names the base {origins.base}, and the release has {base}")
