"""Signatures and attestations of the images of a release, by their digests, before any tag names them.

A signature says two things: the digest, and the repository under which the image is to be found. So a release that is
promoted is signed again under its new name.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import dagger

from pipeline.build.inputs import Build
from pipeline.concurrency import concurrently
from pipeline.errors import SigningError
from pipeline.registry.address import Reference
from pipeline.registry.registry import Registry
from pipeline.signing.attestation import Attestation
from pipeline.signing.cosign import COSIGN, Cosign, file_of, open_cosign, reason
from pipeline.signing.signer import Signer

_PREDICATE = "/mnt/predicate.json"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Signing:
    """A signer that is ready: what it needs is there, and opens.

    Args:
        cosign: with the signer's secrets.
        signer: who signs.
        public_key: in PEM; empty for one without a key.
    """

    cosign: Cosign
    signer: Signer
    public_key: str

    async def sign(self, reference: Reference, attestations: Sequence[Attestation]) -> None:
        """Sign an image, and what is said of it.

        Signing again changes nothing: attestations take the place of those of the same type.

        Args:
            reference: with the digest, in the registry that cosign reaches.
            attestations: of the image.

        Raises:
            SigningError: the key, or the registry, does not let it.
        """
        target = str(replace(reference, tag=""))
        container = self.cosign.container.with_exec(self.cosign.command("sign", *self.signer.arguments, target))
        types: set[str] = set()
        for one in attestations:
            # The first of a type removes what was said before, and the others are added to it.
            how = (
                f"--replace={'false' if one.type in types else 'true'}",
                "--type",
                one.type,
                "--predicate",
                _PREDICATE,
            )
            types.add(one.type)
            command = self.cosign.command("attest", *self.signer.arguments, *how, target)
            predicate = file_of("predicate.json", one.predicate.decode())
            container = container.with_mounted_file(_PREDICATE, predicate).with_exec(command)
        try:
            await container.sync()
        except dagger.ExecError as error:
            raise SigningError(
                f"cosign could not sign {target} ({reason(error)}), so nothing was tagged; mend that and run the same "
                "command again."
            ) from error
        _log.info("%s: signed, %d attestations", reference.name, len(attestations))


async def open_signing(build: Build, registry: Registry, signer: Signer) -> Signing:
    """Make a signer ready, and find out whether its key opens before much else is done.

    Args:
        build: whose base and tools are used.
        registry: of the images.
        signer: who signs.

    Raises:
        SigningError: the key cannot be used.
        ToolError: cosign cannot be had, or is not what it should be.
    """
    cosign = await open_cosign(build, registry)
    container = await signer.equip(cosign.container)
    public_key = ""
    if signer.has_key:
        try:
            public_key = await container.with_exec([COSIGN, "public-key", *signer.key_arguments]).stdout()
        except dagger.ExecError as error:
            remedy = "check --kms-key and --kms-environment" if signer.kms else "check --key and --key-password"
            raise SigningError(f"The key to sign with cannot be used ({reason(error)}); {remedy}.") from error
    return Signing(replace(cosign, container=container), signer, public_key)


async def sign_images(
    signing: Signing, images: Sequence[Reference], attestations: Mapping[str, Sequence[Attestation]]
) -> None:
    """Sign images side by side.

    Args:
        signing: a signer that is ready.
        images: with their digests.
        attestations: by the names of the images.

    Raises:
        SigningError: one could not be signed.
    """
    await concurrently([partial(signing.sign, image, attestations.get(image.name, ())) for image in images])
