"""Verifies an image's signature under the name by which it was found, and reads its attestations."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import dagger

from pipeline.build.inputs import Build
from pipeline.concurrency import concurrently
from pipeline.errors import RegistryError, SettingsError, VerificationError
from pipeline.registry.address import Reference
from pipeline.registry.registry import Registry
from pipeline.registry.repository import Repository
from pipeline.signing.attestation import Attestation
from pipeline.signing.cosign import Cosign, open_cosign, quietly, reason
from pipeline.signing.envelope import read_predicate
from pipeline.strict import list_of, object_of, parse_json, text_of

_KEY = "/mnt/cosign.pub"
#: cosign is run for each type, and a registry can list as many as it likes.
_MOST_TYPES = 20
#: The types of an image's signature: by cosign's specification, and as cosign writes them.
_CLAIMS = ("cosign container image signature", "https://sigstore.dev/cosign/sign/v1")


@dataclass(frozen=True)
class Trusted:
    """The key or identity whose signatures are accepted.

    Args:
        key: the public key, in PEM.
        identity: the identity in a certificate, as in https://gitlab.com/GROUP/PROJECT//.gitlab-ci.yml@refs/tags/1.2.3.
        issuer: the OIDC issuer that vouches for the identity, as in https://gitlab.com.
        tlog: require the key's signatures to be in the transparency log.
    """

    key: dagger.File | None = None
    identity: str = ""
    issuer: str = ""
    tlog: bool = False

    @property
    def arguments(self) -> tuple[str, ...]:
        """cosign's arguments for this key or identity."""
        if self.key is None:
            return ("--certificate-identity", self.identity, "--certificate-oidc-issuer", self.issuer)
        return ("--key", _KEY, f"--insecure-ignore-tlog={'false' if self.tlog else 'true'}")

    def equip(self, container: dagger.Container) -> dagger.Container:
        """Return the container with the key mounted."""
        return container if self.key is None else container.with_mounted_file(_KEY, self.key)


def parse_trusted(given: Trusted) -> Trusted | None:
    """Return the key or identity to accept; None if neither was given.

    Raises:
        SettingsError: the identity is incomplete, or both were given.
    """
    if bool(given.identity) != bool(given.issuer):
        raise SettingsError("An identity needs its issuer; give both --identity and --issuer.")
    if given.identity and given.key is not None:
        raise SettingsError("Give either --key or --identity: an image is signed by one of them.")
    return given if given.key is not None or given.identity else None


@dataclass(frozen=True)
class Witness:
    """Verifies signatures in a registry.

    Args:
        cosign: cosign, which reaches the registry.
        trusted: the key or identity whose signatures are accepted.
    """

    cosign: Cosign
    trusted: Trusted

    async def signature(self, reference: Reference) -> str:
        """Verify an image's signature and describe it in a phrase.

        Args:
            reference: the reference by which the image was found, with its digest.

        Raises:
            VerificationError: the image has no accepted signature, or only one for another name.
        """
        try:
            claims = parse_json((await self._verified("verify", reference, "--output", "json")).encode())
            signed = {_claimed(claim) for claim in list_of(claims)}
        except (ValueError, KeyError) as error:
            raise VerificationError(f"its signature is not an image's signature ({error})") from error
        # cosign compares only the digest: it would accept the same image's signature under another name.
        if (repository_of(reference), reference.digest) not in signed:
            names = ", ".join(sorted({name for name, _ in signed}))
            raise VerificationError(f"its signature is for {names}, but it was found as {repository_of(reference)}")
        return f"signed as {repository_of(reference)}"

    async def attestations(self, reference: Reference, types: Sequence[str]) -> list[Attestation]:
        """Return an image's verified attestations, in the order of the types.

        Args:
            reference: the reference by which the image was found, with its digest.
            types: the required types.

        Raises:
            VerificationError: a type has no accepted attestation, or one is not about this image alone.
        """
        found = await concurrently([partial(self._attestations, reference, type_) for type_ in types])
        return [attestation for attestations in found for attestation in attestations]

    async def _attestations(self, reference: Reference, type_: str) -> list[Attestation]:

        output = await self._verified("verify-attestation", reference, "--type", type_)
        read = partial(read_predicate, type_=type_, repository=repository_of(reference), digest=reference.digest)
        try:
            found = [
                Attestation(type_, json.dumps(read(line.encode())).encode()) for line in output.split("\n") if line
            ]
        except (ValueError, KeyError) as error:
            raise VerificationError(f"its attestation {type_} is not valid: {error}") from error
        if not found:
            raise VerificationError(f"its attestation {type_} is empty")
        return found

    async def _verified(self, verb: str, reference: Reference, *options: str) -> str:
        target = f"{repository_of(reference)}@{reference.digest}"
        command = self.cosign.command(verb, *self.trusted.arguments, *options, target)
        try:
            return await quietly(self.cosign.container, f"{reference.name}: {verb}", command).contents()
        except dagger.ExecError as error:
            raise VerificationError(f"cosign {verb}: {reason(error)}") from error


async def open_witness(build: Build, registry: Registry, trusted: Trusted) -> Witness:
    """Return a witness of the signatures in a registry.

    Raises:
        ToolError: cosign is missing, or its digest is wrong.
    """
    cosign = await open_cosign(build, registry)
    return Witness(Cosign(trusted.equip(cosign.container), cosign.plain_http), trusted)


async def attested_types(repository: Repository, digest: str) -> tuple[str, ...]:
    """Return the types of an image's attestations, sorted, whoever signed them."""
    manifest = await repository.manifest(f"{digest.replace(':', '-')}.att")
    if manifest is None:
        return ()
    try:
        layers = [object_of(layer, "annotations") for layer in list_of(manifest.document["layers"])]
        types = {text_of(object_of(layer["annotations"])["predicateType"]) for layer in layers}
        if len(types) > _MOST_TYPES:
            raise ValueError(f"it has {len(types)} types")
    except (ValueError, KeyError) as error:
        raise RegistryError(f"The attestations of {repository.name}@{digest} cannot be read ({error}).") from error
    return tuple(sorted(types))


def repository_of(reference: Reference) -> str:
    """Return an image's name with its registry."""
    return f"{reference.address}/{reference.name}"


def _claimed(claim: Any) -> tuple[str, str]:
    critical = object_of(object_of(claim, "critical")["critical"], "identity", "image", "type")
    identity, image = object_of(critical["identity"]), object_of(critical["image"])
    if critical["type"] not in _CLAIMS:
        raise ValueError(f"it claims {critical['type']!r}")
    return text_of(identity["docker-reference"]), text_of(image["docker-manifest-digest"])
