"""Verifies by notation that an image was signed under the name by which it was found."""

from dataclasses import dataclass

import dagger

from pipeline.build.inputs import Build
from pipeline.errors import VerificationError
from pipeline.registry.address import Reference
from pipeline.registry.registry import Registry
from pipeline.signing.notation import Notation, claim, explained, open_notation
from pipeline.signing.reach import quietly
from pipeline.signing.trust_store import ANYBODY, NotationTrust, trust_files


@dataclass(frozen=True)
class NotationWitness:
    """Verifies notation's signatures in a registry.

    Args:
        notation: notation, which reaches the registry, with a trust policy.
        identity: the identity that the policy demands.
    """

    notation: Notation
    identity: str

    async def signature(self, reference: Reference) -> str:
        """Verify an image's signature and describe it in a phrase.

        Args:
            reference: the reference by which the image was found, with its digest.

        Raises:
            VerificationError: the image has no accepted signature, or only one for another name.
        """
        repository = f"{reference.address}/{reference.name}"
        # notation compares only the digest: without the claim it would accept the same image under another name.
        # At `info` it says what is wrong with each signature.
        command = self.notation.command("verify", "--verbose", *claim(reference), f"{repository}@{reference.digest}")
        try:
            await quietly(self.notation.container, f"{reference.name}: notation verify", command).contents()
        except dagger.ExecError as error:
            raise VerificationError(f"notation verify: {explained(error)}") from error
        who = "any certificate of the CA" if self.identity == ANYBODY else self.identity
        return f"signed as {repository} with notation, by {who}"


async def open_notation_witness(build: Build, registry: Registry, trust: NotationTrust) -> NotationWitness:
    """Return a witness of notation's signatures in a registry.

    Raises:
        SettingsError: a file does not hold certificates.
        ToolError: notation is missing, or its digest is wrong.
    """
    files = await trust_files(trust, ["*"])
    return NotationWitness((await open_notation(build, registry)).configured(files), trust.identity)
