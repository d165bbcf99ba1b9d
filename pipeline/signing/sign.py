"""Signs and attests the images of a release by digest, before any tag names them.

A signature states the image's digest and its repository. A promoted release is therefore signed again under its new
name.
"""

import logging
import shlex
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
from pipeline.signing.cosign import COSIGN, Cosign, open_cosign, reason
from pipeline.signing.signer import Signer
from pipeline.text_files import text_files

_PREDICATES = "/mnt/predicates"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Signing:
    """A signer whose key has been opened.

    Args:
        cosign: cosign with the signer's secrets.
        signer: the key or identity that signs.
        public_key: the public key, in PEM; empty for a signer without a key.
    """

    cosign: Cosign
    signer: Signer
    public_key: str

    async def sign(self, reference: Reference, attestations: Sequence[Attestation]) -> None:
        """Sign an image and its attestations.

        Signing again changes nothing: an attestation replaces an earlier one of the same type.

        Args:
            reference: the image with its digest, in the registry that cosign reaches.
            attestations: the statements about the image.

        Raises:
            SigningError: cosign failed, because of the key or the registry.
        """
        target = str(replace(reference, tag=""))
        commands = [self.cosign.command("sign", *self.signer.arguments, target)]
        types: set[str] = set()
        predicates: dict[str, str] = {}
        for attestation in attestations:
            name = f"{len(predicates)}.json"
            # The first attestation of a type replaces the earlier ones; the next are added to it.
            options = (
                f"--replace={'false' if attestation.type in types else 'true'}",
                "--type",
                attestation.type,
                "--predicate",
                f"{_PREDICATES}/{name}",
            )
            types.add(attestation.type)
            predicates[name] = attestation.predicate.decode()
            commands.append(self.cosign.command("attest", *self.signer.arguments, *options, target))
        # Every container takes time to start, so one runs all commands.
        script = "\n".join(map(shlex.join, commands))
        container = self.cosign.container.with_mounted_directory(_PREDICATES, text_files(predicates))
        container = container.with_exec(["sh", "-euc", script, f"{reference.name}: sign"])
        try:
            await container.sync()
        except dagger.ExecError as error:
            raise SigningError(
                f"cosign could not sign {target} ({reason(error)}), so nothing was tagged; correct that and run the "
                "same command again."
            ) from error
        _log.info("%s: signed, %d attestations", reference.name, len(attestations))


async def open_signing(build: Build, registry: Registry, signer: Signer) -> Signing:
    """Open the signer's key early, so that a wrong password is reported before anything is built.

    Args:
        build: provides the base and the tools.
        registry: the registry of the images.
        signer: the key or identity that signs.

    Raises:
        SigningError: the key cannot be used.
        ToolError: cosign is missing, or its digest is wrong.
    """
    cosign = await open_cosign(build, registry)
    container = await signer.equip(cosign.container)
    public_key = ""
    if signer.has_key:
        try:
            public_key = await container.with_exec([COSIGN, "public-key", *signer.key_arguments]).stdout()
        except dagger.ExecError as error:
            remedy = "check --kms-key and --kms-environment" if signer.kms else "check --key and --key-password"
            raise SigningError(f"The signing key cannot be used ({reason(error)}); {remedy}.") from error
    return Signing(replace(cosign, container=container), signer, public_key)


async def sign_images(
    signing: Signing, images: Sequence[Reference], attestations: Mapping[str, Sequence[Attestation]]
) -> None:
    """Sign images side by side.

    Args:
        signing: an opened signer.
        images: the images with their digests.
        attestations: the statements about each image, by its name.

    Raises:
        SigningError: an image could not be signed.
    """
    await concurrently([partial(signing.sign, image, attestations.get(image.name, ())) for image in images])
