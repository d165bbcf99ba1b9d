"""Verifies an image's signature under the name by which it was found, and reads its attestations."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import dagger

from pipeline.build.inputs import Build
from pipeline.concurrency import concurrently
from pipeline.errors import SettingsError, VerificationError
from pipeline.registry.address import Reference
from pipeline.registry.registry import Registry
from pipeline.signing.attestation import Attestation
from pipeline.signing.cosign import NEWER_FORM, OLDER_FORM, Cosign, open_cosign, reason
from pipeline.signing.envelope import read_predicate
from pipeline.signing.listing import SIGNATURE, Listed, list_attested
from pipeline.signing.reach import quietly
from pipeline.strict import list_of, object_of, parse_json, text_of

_KEY = "/mnt/cosign.pub"
#: The types of an image's signature: by cosign's specification, and as cosign writes them.
_CLAIMS = ("cosign container image signature", SIGNATURE)


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
    """Verifies signatures in a registry, in both of cosign's forms.

    Args:
        cosign: cosign, which reaches the registry.
        trusted: the key or identity whose signatures are accepted.
        registry: the registry of the images.
    """

    cosign: Cosign
    trusted: Trusted
    registry: Registry

    async def signature(self, reference: Reference) -> str:
        """Verify an image's signature and describe it in a phrase.

        Args:
            reference: the reference by which the image was found, with its digest.

        Raises:
            VerificationError: the image has no accepted signature, or only one for another name.
            RegistryError: the registry refuses, or its list of attestations cannot be read.
        """
        try:
            return await self._signature_of_older_form(reference)
        except VerificationError:
            listed = await list_attested(self.registry.repository(reference.name), reference.digest)
            if SIGNATURE not in listed.newer:
                raise
        return await self._signature_of_newer_form(reference, listed)

    async def attestations(self, reference: Reference, types: Sequence[str]) -> list[Attestation]:
        """Return an image's verified attestations, in the order of the types.

        Args:
            reference: the reference by which the image was found, with its digest.
            types: the required types.

        Raises:
            VerificationError: a type has no accepted attestation, or one is not about this image alone.
            RegistryError: the registry refuses, or its list of attestations cannot be read.
        """
        listed = await list_attested(self.registry.repository(reference.name), reference.digest)
        found = await concurrently([partial(self._attestations, reference, type_, listed) for type_ in types])
        return [attestation for attestations in found for attestation in attestations]

    async def _signature_of_older_form(self, reference: Reference) -> str:
        output = await self._verified("verify", reference, *OLDER_FORM, "--output", "json")
        try:
            signed = {_claimed(claim) for claim in list_of(parse_json(output.encode()))}
        except (ValueError, KeyError) as error:
            raise VerificationError(f"its signature is not an image's signature ({error})") from error
        # cosign compares only the digest: it would accept the same image's signature under another name.
        if (repository_of(reference), reference.digest) not in signed:
            names = ", ".join(sorted({name for name, _ in signed}))
            raise VerificationError(f"its signature is for {names}, but it was found as {repository_of(reference)}")
        return f"signed as {repository_of(reference)}"

    async def _signature_of_newer_form(self, reference: Reference, listed: Listed) -> str:
        """Verify a signature that names only the digest, and an attestation beside it that names the repository."""
        await self._verified("verify-attestation", reference, *NEWER_FORM, "--type", SIGNATURE)
        for type_ in sorted(listed.newer - {SIGNATURE}):
            if await self._envelopes(reference, type_, NEWER_FORM):
                return f"signed as {repository_of(reference)}, in cosign's newer form"
        raise VerificationError(
            "its signature, in cosign's newer form, names no repository, and neither does an attestation beside it; "
            "sign it with --new-bundle-format=false"
        )

    async def _attestations(self, reference: Reference, type_: str, listed: Listed) -> list[Attestation]:
        forms = [form for form, types in ((OLDER_FORM, listed.older), (NEWER_FORM, listed.newer)) if type_ in types]
        # An image that was attested in both forms has each statement twice.
        found: dict[bytes, None] = {}
        refusals: list[VerificationError] = []
        for form in forms or [OLDER_FORM]:
            try:
                envelopes = await self._envelopes(reference, type_, form)
            except _UnacceptedError as error:
                refusals.append(error)
            else:
                found |= dict.fromkeys(envelopes)
        if not found:
            raise refusals[0] if refusals else VerificationError(f"its attestation {type_} is empty")
        return [Attestation(type_, predicate) for predicate in found]

    async def _envelopes(self, reference: Reference, type_: str, form: Sequence[str]) -> list[bytes]:
        """Return the predicates of a type, in JSON."""
        output = await self._verified("verify-attestation", reference, *form, "--type", type_)
        read = partial(read_predicate, type_=type_, repository=repository_of(reference), digest=reference.digest)
        try:
            return [json.dumps(read(line.encode())).encode() for line in output.split("\n") if line]
        except (ValueError, KeyError) as error:
            raise VerificationError(f"its attestation {type_} is not valid: {error}") from error

    async def _verified(self, verb: str, reference: Reference, *options: str) -> str:
        target = f"{repository_of(reference)}@{reference.digest}"
        command = self.cosign.command(verb, *self.trusted.arguments, *options, target)
        try:
            return await quietly(self.cosign.container, f"{reference.name}: {verb}", command).contents()
        except dagger.ExecError as error:
            raise _UnacceptedError(f"cosign {verb}: {reason(error)}") from error


class _UnacceptedError(VerificationError):
    """cosign accepts nothing that it found."""


async def open_witness(build: Build, registry: Registry, trusted: Trusted) -> Witness:
    """Return a witness of the signatures in a registry.

    Raises:
        ToolError: cosign is missing, or its digest is wrong.
    """
    cosign = await open_cosign(build, registry)
    return Witness(Cosign(trusted.equip(cosign.container), cosign.plain_http), trusted, registry)


def repository_of(reference: Reference) -> str:
    """Return an image's name with its registry."""
    return f"{reference.address}/{reference.name}"


def _claimed(claim: Any) -> tuple[str, str]:
    critical = object_of(object_of(claim, "critical")["critical"], "identity", "image", "type")
    identity, image = object_of(critical["identity"]), object_of(critical["image"])
    if critical["type"] not in _CLAIMS:
        raise ValueError(f"it claims {critical['type']!r}")
    return text_of(identity["docker-reference"]), text_of(image["docker-manifest-digest"])
