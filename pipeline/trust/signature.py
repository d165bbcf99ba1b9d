"""Whether an image is signed under the name by which it was found, and what is said of it under that signature."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import dagger

from pipeline.build import Build
from pipeline.concurrency import concurrently
from pipeline.errors import RegistryError, SettingsError, VerificationError
from pipeline.registry.address import Reference
from pipeline.registry.registry import Registry
from pipeline.registry.repository import Repository
from pipeline.trust.attestation import Attestation
from pipeline.trust.cosign import Cosign, open_cosign, quietly, reason

_KEY = "/mnt/cosign.pub"
_IN_TOTO = "application/vnd.in-toto+json"


@dataclass(frozen=True)
class Trusted:
    """Whose signatures count: a key's, or those of an identity.

    Args:
        key: public, in PEM.
        identity: of a certificate, as in https://gitlab.com/GROUP/PROJECT//.gitlab-ci.yml@refs/tags/1.2.3.
        issuer: who vouches for the identity, as in https://gitlab.com.
        tlog: signatures of the key must be in the transparency log.
    """

    key: dagger.File | None = None
    identity: str = ""
    issuer: str = ""
    tlog: bool = False

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments of cosign that say so."""
        if self.key is None:
            return ("--certificate-identity", self.identity, "--certificate-oidc-issuer", self.issuer)
        return ("--key", _KEY, f"--insecure-ignore-tlog={'false' if self.tlog else 'true'}")

    def equip(self, container: dagger.Container) -> dagger.Container:
        """Return a container that has the key."""
        return container if self.key is None else container.with_mounted_file(_KEY, self.key)


def parse_trusted(given: Trusted) -> Trusted | None:
    """Return whose signatures count; None where nobody was named.

    Raises:
        SettingsError: half an identity, or two signers.
    """
    if bool(given.identity) != bool(given.issuer):
        raise SettingsError("An identity counts with who vouches for it; give both --identity and --issuer.")
    if given.identity and given.key is not None:
        raise SettingsError("Give --key or --identity, and not both: an image is signed by one of them.")
    return given if given.key is not None or given.identity else None


@dataclass(frozen=True)
class Witness:
    """Looks at what is signed in a registry.

    Args:
        cosign: that reaches the registry.
        trusted: whose signatures count.
    """

    cosign: Cosign
    trusted: Trusted

    async def signature(self, reference: Reference) -> str:
        """Return a sentence on the signature of an image.

        Args:
            reference: by which the image was found, with its digest.

        Raises:
            VerificationError: there is none, by none that counts, or for an image of another name.
        """
        try:
            claims = json.loads(await self._verified("verify", reference, "--output", "json"))
            signed = {_claimed(claim) for claim in claims}
        except (ValueError, KeyError, TypeError) as error:
            raise VerificationError(f"its signature is none of an image ({type(error).__name__})") from error
        # cosign looks at the digest alone: a signature of the same image under another name would do for it.
        if (repository_of(reference), reference.digest) not in signed:
            names = ", ".join(sorted({name for name, _ in signed}))
            raise VerificationError(f"its signature is for {names}, and it was found as {repository_of(reference)}")
        return f"signed as {repository_of(reference)}"

    async def attestations(self, reference: Reference, types: Sequence[str]) -> list[Attestation]:
        """Return what is said of an image, in the order of the types.

        Args:
            reference: by which the image was found, with its digest.
            types: of the attestations; one of each there must be.

        Raises:
            VerificationError: of a type there is none, by none that counts, or for another image.
        """
        found = await concurrently([partial(self._attestations, reference, type_) for type_ in types])
        return [one for several in found for one in several]

    async def _attestations(self, reference: Reference, type_: str) -> list[Attestation]:
        """Return what is said of an image by attestations of a type.

        Raises:
            VerificationError: there is none, by none that counts, or for another image.
        """
        try:
            lines = (await self._verified("verify-attestation", reference, "--type", type_)).splitlines()
            statements = [_statement(json.loads(line)) for line in lines]
            found = [one for one in statements if _is_about(one, reference)]
        except (ValueError, KeyError, TypeError) as error:
            raise VerificationError(f"its attestation {type_} is none ({type(error).__name__})") from error
        if not found:
            raise VerificationError(f"its attestation {type_} is for another image than {repository_of(reference)}")
        return [Attestation(type_, json.dumps(one["predicate"]).encode()) for one in found]

    async def _verified(self, verb: str, reference: Reference, *options: str) -> str:
        target = f"{repository_of(reference)}@{reference.digest}"
        command = self.cosign.command(verb, *self.trusted.arguments, *options, target)
        try:
            return await quietly(self.cosign.container, f"{reference.name}: {verb}", command).contents()
        except dagger.ExecError as error:
            raise VerificationError(f"cosign {verb}: {reason(error)}") from error


async def open_witness(build: Build, registry: Registry, trusted: Trusted) -> Witness:
    """Return who looks at what is signed in a registry.

    Raises:
        ToolError: cosign cannot be had, or is not what it should be.
    """
    cosign = await open_cosign(build, registry)
    return Witness(Cosign(trusted.equip(cosign.container), cosign.plain_http), trusted)


async def attested_types(repository: Repository, digest: str) -> tuple[str, ...]:
    """Return the URIs of the types of what is said of an image, signed by whomever, each once and in their order."""
    manifest = await repository.manifest(f"{digest.replace(':', '-')}.att")
    if manifest is None:
        return ()
    try:
        layers = [layer for layer in json.loads(manifest.raw)["layers"] if layer["annotations"]["predicateType"]]
        return tuple(sorted({str(layer["annotations"]["predicateType"]) for layer in layers}))
    except (ValueError, KeyError, TypeError) as error:
        raise RegistryError(f"What is attested of {repository.name}@{digest} cannot be read ({error!r}).") from error


def repository_of(reference: Reference) -> str:
    """Return an image's name with its registry."""
    return f"{reference.address}/{reference.name}"


def _statement(envelope: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the statement of an envelope: https://github.com/secure-systems-lab/dsse."""
    if envelope["payloadType"] != _IN_TOTO:
        raise ValueError(envelope["payloadType"])
    return dict(json.loads(base64.b64decode(envelope["payload"])))


def _claimed(claim: Mapping[str, Any]) -> tuple[str, str]:
    critical = claim["critical"]
    return critical["identity"]["docker-reference"], critical["image"]["docker-manifest-digest"]


def _is_about(statement: Mapping[str, Any], reference: Reference) -> bool:
    wanted = (repository_of(reference), reference.digest.removeprefix("sha256:"))
    return any((one["name"], one["digest"].get("sha256")) == wanted for one in statement["subject"])
