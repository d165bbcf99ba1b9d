"""What is signed of an image of a release, held against what must be signed of it."""

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
from pipeline.signing.signature import Trusted, Witness, attested_types, open_witness


@dataclass(frozen=True)
class Evidence:
    """What is attested of an image, all of it signed and as it must be.

    Args:
        attestations: none of a pre-release that was published without the gates.
        origins: what its provenance states; None where nothing is attested.
    """

    attestations: tuple[Attestation, ...]
    origins: Origins | None


class Examiner:
    """Verifies what is signed of images, and holds it against what a release must be.

    Args:
        witness: looks at signatures.
        policy: which vulnerabilities stop a release.
    """

    def __init__(self, witness: Witness, policy: Policy) -> None:
        self.witness, self._policy = witness, policy
        self._evidence: dict[tuple[str, str], Shared[Evidence]] = {}

    async def evidence(self, image: Published) -> Evidence:
        """Verify what is attested of an image, once however often it is asked for.

        Raises:
            VerificationError: something that must be attested is not, is signed by none that counts, or says that the
                image did not pass.
        """
        key = (image.repository.path, image.manifest.digest)
        return await self._evidence.setdefault(key, Shared(partial(self._gather, image))).get()

    async def origins(self, image: Published) -> Origins:
        """Verify an image's signature and its provenance alone, as of a parent.

        Raises:
            VerificationError: one of them is missing, is signed by none that counts, or is of something else.
        """
        await self.witness.signature(image.reference())
        attestations = await self.witness.attestations(image.reference(), (PREDICATE,))
        return origins_of(attestations, expected_of(image, self._policy))

    async def _gather(self, image: Published) -> Evidence:
        listed = await attested_types(image.repository, image.manifest.digest)
        if not listed and is_pre_release(image):
            return Evidence((), None)
        if missing := [type_ for type_ in OF_A_RELEASE if type_ not in listed]:
            why = "a part of it is" if is_pre_release(image) else "a final version has passed all gates"
            raise VerificationError(f"nothing is attested of type {missing[0]}, and {why}")
        attestations = tuple(await self.witness.attestations(image.reference(), listed))
        return Evidence(attestations, judge(attestations, expected_of(image, self._policy)))


async def open_examiner(build: Build, registry: Registry, trusted: Trusted) -> Examiner:
    """Return what verifies what is signed in a registry.

    Args:
        build: whose base and tools are used, and whose settings say which vulnerabilities stop a release.
        registry: of the images.
        trusted: whose signatures count.

    Raises:
        ToolError: cosign cannot be had, or is not what it should be.
    """
    return Examiner(await open_witness(build, registry, trusted), policy_of(build.settings))


def is_pre_release(image: Published) -> bool:
    """Tell whether an image is of a version that may be published without the gates, by a label that is one."""
    return Version(image.label("version")).is_prerelease


def expected_of(image: Published, policy: Policy) -> Expected:
    """Return what the statements on an image have to agree with.

    Raises:
        VerificationError: the catalogue has no such image.
    """
    name = image.repository.name
    if name not in by_name():
        raise VerificationError(f"{name} is none of the images {', '.join(by_name())}")
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
