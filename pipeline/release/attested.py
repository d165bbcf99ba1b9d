"""Compares an image's signed attestations with those that a release requires."""

from dataclasses import dataclass
from functools import partial

from pipeline.build.inputs import Build
from pipeline.build.version import Version
from pipeline.catalogue.lookup import by_name
from pipeline.concurrency import Shared
from pipeline.errors import VerificationError
from pipeline.evidence.predicates import Expected, Origins, judge, origins_of
from pipeline.evidence.provenance import PREDICATE
from pipeline.evidence.results import OF_A_RELEASE
from pipeline.gates.scan.findings import Policy, policy_of
from pipeline.registry.registry import Registry
from pipeline.release.published import Published
from pipeline.signing.attestation import Attestation
from pipeline.signing.listing import list_attested
from pipeline.signing.signature import Trusted, Witness, open_witness


@dataclass(frozen=True)
class Evidence:
    """The verified attestations of an image.

    Args:
        attestations: empty for a pre-release that was published without the gates.
        origins: the content of the image's provenance; None without attestations.
    """

    attestations: tuple[Attestation, ...]
    origins: Origins | None


class Examiner:
    """Verifies images' attestations and compares them with the required ones.

    Args:
        witness: verifies signatures.
        policy: decides which vulnerabilities block a release.
    """

    def __init__(self, witness: Witness, policy: Policy) -> None:
        self.witness, self._policy = witness, policy
        self._evidence: dict[tuple[str, str], Shared[Evidence]] = {}

    async def evidence(self, image: Published) -> Evidence:
        """Verify an image's attestations, once per image.

        Raises:
            VerificationError: a required attestation is missing, has no accepted signature, or states a failure.
        """
        key = (image.repository.path, image.manifest.digest)
        return await self._evidence.setdefault(key, Shared(partial(self._gather, image))).get()

    async def origins(self, image: Published) -> Origins:
        """Verify only the signature and the provenance of an image, such as a parent.

        Raises:
            VerificationError: one of them is missing, has no accepted signature, or is about something else.
        """
        await self.witness.signature(image.reference())
        attestations = await self.witness.attestations(image.reference(), (PREDICATE,))
        return origins_of(attestations, expected_of(image, self._policy))

    async def _gather(self, image: Published) -> Evidence:
        listed = (await list_attested(image.repository, image.manifest.digest)).types
        if not listed and is_pre_release(image):
            return Evidence((), None)
        if missing := [type_ for type_ in OF_A_RELEASE if type_ not in listed]:
            why = "although others are there" if is_pre_release(image) else "which a final version requires"
            raise VerificationError(f"it has no attestation of type {missing[0]}, {why}")
        attestations = tuple(await self.witness.attestations(image.reference(), listed))
        return Evidence(attestations, judge(attestations, expected_of(image, self._policy)))


async def open_examiner(build: Build, registry: Registry, trusted: Trusted) -> Examiner:
    """Return an examiner of the images in a registry.

    Args:
        build: provides the base, the tools, and the setting of which vulnerabilities block a release.
        registry: the registry of the images.
        trusted: the key or identity whose signatures are accepted.

    Raises:
        ToolError: cosign is missing, or its digest is wrong.
    """
    return Examiner(await open_witness(build, registry, trusted), policy_of(build.settings))


def is_pre_release(image: Published) -> bool:
    """Return whether an image's version may be published without the gates, according to its label."""
    return Version(image.label("version")).is_prerelease


def expected_of(image: Published, policy: Policy) -> Expected:
    """Return what an image's statements must agree with.

    Raises:
        VerificationError: the catalogue has no such image.
    """
    name = image.repository.name
    if name not in by_name():
        raise VerificationError(f"{name} is not one of the images {', '.join(by_name())}")
    return Expected(
        image=name,
        digest=image.manifest.digest,
        version=image.label("version"),
        created=image.label("created"),
        tags=tuple(image.label("tags").split(",")),
        source=image.label("source"),
        parent=by_name()[name].parent,
        built_from=image.label("baseImage"),
        policy=policy,
    )
