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
from pipeline.signing.both_kinds import Signatories, SignerPair, open_signatories, parse_signers
from pipeline.signing.notation_sign import NotationSigning
from pipeline.signing.notation_signature import NotationWitness, open_notation_witness
from pipeline.signing.notation_signer import NotationSigner
from pipeline.signing.reach import file_of
from pipeline.signing.sign import Signing
from pipeline.signing.signature import Trusted, parse_trusted
from pipeline.signing.signer import Signer
from pipeline.signing.trust_store import NotationTrust, parse_notation_trust

_NOBODY, _NOBODYS = NotationSigner(), NotationTrust()


@dataclass(frozen=True)
class Resigning:
    """Signs a release again.

    Args:
        signers: the new signers.
        trusted: the key or identity that must have signed it before with cosign; None for the signer's own key.
        build: provides the base and the tools.
        notation_trusted: who must have signed it before with notation; None for the signer's own certificate.
    """

    signers: SignerPair
    trusted: Trusted | None
    build: Callable[[], Awaitable[Build]]
    notation_trusted: NotationTrust | None = None

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
        signing = await open_signatories(build, target, self.signers) or Signatories()
        attestations: dict[str, Sequence[Attestation]] = {}
        if signing.cosign:
            examiner = await open_examiner(build, origin, self._trusted(signing.cosign))
            found = await concurrently([partial(_attested, examiner, image, images) for image in images])
            attestations = dict(zip([image.repository.name for image in images], found, strict=True))
        if signing.notation:
            witness = await open_notation_witness(build, origin, self._notation_trusted(signing.notation))
            await concurrently([partial(_signed, witness, image) for image in images])
        return partial(signing.sign_images, attestations=attestations)

    def _notation_trusted(self, signing: NotationSigning) -> NotationTrust:
        if trust := self.notation_trusted or signing.trust:
            return trust
        raise SettingsError(
            "The certificate of --notation-chain names no country, state and organisation, so the release's present "
            "signatures cannot be verified by it; give --from-notation-root FILE and --from-notation-identity '*'."
        )

    def _trusted(self, signing: Signing) -> Trusted:
        if self.trusted:
            return self.trusted
        if signing.public_key:
            return Trusted(file_of("cosign.pub", signing.public_key), tlog=signing.signer.tlog)
        raise SettingsError(
            "A release is signed again only if its present signatures are valid; give their signer with --from-key "
            "FILE, or with --from-identity and --from-issuer."
        )


def parse_resigning(
    signer: Signer,
    trusted: Trusted,
    build: Callable[[], Awaitable[Build]],
    notation: NotationSigner = _NOBODY,
    notation_trusted: NotationTrust = _NOBODYS,
) -> Resigning | None:
    """Return how a release is signed again; None without a signer.

    Raises:
        SettingsError: as of `parse_signers`, `parse_trusted` and `parse_notation_trust`, or whose signatures count was
            given without a signer of that kind.
    """
    signers = parse_signers(signer, notation)
    whose, notations = parse_trusted(trusted), parse_notation_trust(notation_trusted, "from-")
    for flag, key, given, by in (
        ("--from-key", "--key", whose, signers.cosign),
        ("--from-notation-root", "--notation-key", notations, signers.notation),
    ):
        if by is None and given is not None:
            raise SettingsError(
                f"The option {flag} verifies a release that is signed again; give {key} too, or leave out {flag}."
            )
    return Resigning(signers, whose, build, notations) if signers.kinds else None


async def _signed(witness: NotationWitness, image: Published) -> None:
    try:
        await witness.signature(image.reference())
    except VerificationError as error:
        raise VerificationError(
            f"{image.reference()} is not signed again, because its signature is not valid ({escaped(str(error))}); "
            "publish it with notation, or name its signer with --from-notation-root and --from-notation-identity."
        ) from error


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
