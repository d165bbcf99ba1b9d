"""A release that is promoted, signed again: what it was signed with names the repositories it came from."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from pipeline.build import Build
from pipeline.concurrency import concurrently
from pipeline.errors import SettingsError, VerificationError
from pipeline.registry.registry import Registry
from pipeline.release.published import Published
from pipeline.release.push import Sign
from pipeline.trust.attestation import Attestation
from pipeline.trust.cosign import file_of
from pipeline.trust.sign import Signing, open_signing, sign_images
from pipeline.trust.signature import Trusted, Witness, attested_types, open_witness, parse_trusted
from pipeline.trust.signer import Signer, parse_signer


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
        witness = await open_witness(build, origin, self._trusted(signing))
        found = await concurrently([partial(_attested, witness, image) for image in images])
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


async def _attested(witness: Witness, image: Published) -> Sequence[Attestation]:
    reference = image.reference()
    try:
        await witness.signature(reference)
        return await witness.attestations(reference, await attested_types(image.repository, reference.digest))
    except VerificationError as error:
        raise VerificationError(
            f"{reference} is not signed again, because what is signed of it does not hold ({error}); publish it with a "
            "signature, or name its signer with --from-key."
        ) from error
