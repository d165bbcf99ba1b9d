"""Signers of both kinds together: each that is given signs."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pipeline.build.inputs import Build
from pipeline.build.signature_kinds import COSIGN, NOTATION, SIGNED_BY
from pipeline.concurrency import concurrently
from pipeline.registry.address import Reference
from pipeline.registry.registry import Registry
from pipeline.signing.attestation import Attestation
from pipeline.signing.notation_sign import NotationSigning, open_notation_signing
from pipeline.signing.notation_signer import NotationSigner, parse_notation_signer
from pipeline.signing.sign import Signing, open_signing, sign_images
from pipeline.signing.signer import Signer, parse_signer

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SignerPair:
    """Who signs a release.

    Args:
        cosign: with cosign; None for nobody.
        notation: with notation; None for nobody.
    """

    cosign: Signer | None = None
    notation: NotationSigner | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of their signatures."""
        given = {COSIGN: self.cosign, NOTATION: self.notation}
        return tuple(kind for kind, signer in given.items() if signer is not None)


@dataclass(frozen=True)
class Signatories:
    """Those who sign a release, with keys that have been tried.

    Args:
        cosign: signs images and attestations; None for nobody.
        notation: signs images; None for nobody.
    """

    cosign: Signing | None = None
    notation: NotationSigning | None = None

    async def sign_images(self, images: Sequence[Reference], attestations: Mapping[str, Sequence[Attestation]]) -> None:
        """Sign images side by side, with each kind.

        Args:
            images: the images with their digests.
            attestations: the statements about each image, by its name.

        Raises:
            SigningError: an image could not be signed.
        """
        if self.cosign is not None:
            await sign_images(self.cosign, images, attestations)
        if self.notation is not None:
            await concurrently([partial(self.notation.sign, image) for image in images])


def parse_signers(cosign: Signer, notation: NotationSigner) -> SignerPair:
    """Return who signs.

    Raises:
        SettingsError: as of `parse_signer` and `parse_notation_signer`.
    """
    return SignerPair(parse_signer(cosign), parse_notation_signer(notation))


async def open_signatories(build: Build, registry: Registry, signers: SignerPair) -> Signatories | None:
    """Try the signers' keys early; None if nobody signs.

    Raises:
        SettingsError: a file does not hold certificates.
        SigningError: a key cannot be used.
        ToolError: cosign or notation is missing, or its digest is wrong.
    """
    if not signers.kinds:
        return None
    if signers.cosign is None:
        _log.warning("notation signs images alone, so no attestation is published; give %s as well", SIGNED_BY[COSIGN])
    return Signatories(
        await open_signing(build, registry, signers.cosign) if signers.cosign else None,
        await open_notation_signing(build, registry, signers.notation) if signers.notation else None,
    )
