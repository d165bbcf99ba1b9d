"""What is attested of an image, as its registry lists it; nothing here is verified.

Source: https://github.com/sigstore/cosign/blob/v3.1.1/specs/BUNDLE_SPEC.md
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from pipeline.concurrency import concurrently
from pipeline.errors import RegistryError
from pipeline.registry.manifest import Manifest
from pipeline.registry.repository import Repository
from pipeline.strict import list_of, object_of, text_of

#: The type of cosign's signature in the newer form, where signatures are attestations too.
SIGNATURE = "https://sigstore.dev/cosign/sign/v1"
#: cosign is run for each type, and a registry can list as many as it likes.
_MOST_TYPES = 20
_MOST_BUNDLES = 100
_BUNDLE = "application/vnd.dev.sigstore.bundle."
_PREDICATE_TYPE = "dev.sigstore.bundle.predicateType"
#: How a registry without the Referrers API describes a bundle: cosign names the type of its configuration there.
_UNTOLD = ("", "application/vnd.oci.empty.v1+json")


@dataclass(frozen=True)
class Listed:
    """The types of an image's attestations, by any signer.

    Args:
        older: those under the tag `sha256-<digest>.att`.
        newer: those of bundles, with the signature's.
    """

    older: frozenset[str] = frozenset()
    newer: frozenset[str] = frozenset()

    @property
    def types(self) -> tuple[str, ...]:
        """All types of attestations, sorted."""
        return tuple(sorted((self.older | self.newer) - {SIGNATURE}))


async def list_attested(repository: Repository, digest: str) -> Listed:
    """List the attestations of an image in both of cosign's forms.

    Args:
        repository: the image's repository.
        digest: the digest of the image's manifest, sha256:….

    Raises:
        RegistryError: the registry refuses, or a list cannot be read.
    """
    try:
        return Listed(await _older(repository, digest), await _newer(repository, digest))
    except (ValueError, KeyError) as error:
        raise RegistryError(f"The attestations of {repository.name}@{digest} cannot be read ({error}).") from error


async def _older(repository: Repository, digest: str) -> frozenset[str]:
    manifest = await repository.manifest(f"{digest.replace(':', '-')}.att")
    if manifest is None:
        return frozenset()
    layers = [object_of(layer, "annotations") for layer in list_of(manifest.document["layers"])]
    return _few(text_of(object_of(layer["annotations"])["predicateType"]) for layer in layers)


async def _newer(repository: Repository, digest: str) -> frozenset[str]:
    referrers = await repository.referrers(digest)
    possible = [
        one.digest for one in referrers if one.artifact_type.startswith(_BUNDLE) or one.artifact_type in _UNTOLD
    ]
    if len(possible) > _MOST_BUNDLES:
        raise ValueError(f"it has {len(possible)} bundles")
    manifests = await concurrently([partial(repository.manifest, one) for one in possible])
    return _few(_type_of(manifest) for manifest in manifests if manifest and _is_bundle(manifest))


def _is_bundle(manifest: Manifest) -> bool:
    return text_of(manifest.document.get("artifactType", "")).startswith(_BUNDLE)


def _type_of(manifest: Manifest) -> str:
    return manifest.annotations.get(_PREDICATE_TYPE, "")


def _few(found: Iterable[str]) -> frozenset[str]:
    types = frozenset(found) - {""}
    if len(types) > _MOST_TYPES:
        raise ValueError(f"it has {len(types)} types")
    return types
