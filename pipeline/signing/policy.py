"""Policies that make podman, skopeo and Kubernetes accept only signed images of this pipeline.

All policies come from the same data: the registry, the catalogue and the public key; `notation_policy` writes those for
notation. Sources:
https://github.com/containers/image/blob/v5.34.0/docs/containers-policy.json.5.md and containers-registries.d.5.md,
https://kyverno.io/docs/policy-types/cluster-policy/verify-images/sigstore/ and
https://docs.sigstore.dev/policy-controller/overview/.
"""

import base64
import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import dagger

from pipeline.build.settings import Settings
from pipeline.catalogue.lookup import by_name
from pipeline.errors import SettingsError
from pipeline.signing.notation_policy import notation_policies
from pipeline.signing.trust_store import NotationTrust, parse_notation_trust
from pipeline.text_files import text_files

_NOBODYS = NotationTrust()
_PUBLIC_KEY = re.compile(r"-----BEGIN PUBLIC KEY-----\s[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----\s*")

_KYVERNO = """\
# Kyverno 1.10 or later: pods run these images only if they are signed, and only by digest.
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata:
  name: ska-base-images
spec:
  validationFailureAction: Enforce
  background: false
  webhookTimeoutSeconds: 30
  rules:
    - name: signed-by-the-pipeline
      match:
        any:
          - resources:
              kinds: [Pod]
      verifyImages:
        - imageReferences:
{references}
          required: true
          mutateDigest: true
          verifyDigest: true
          attestors:
            - count: 1
              entries:
                - keys:
                    publicKeys: |-
{key}
                    # A key's signatures are in a public log only if publish was given --tlog.
                    rekor:
                      ignoreTlog: true
                    ctlog:
                      ignoreSCT: true
"""

_POLICY_CONTROLLER = """\
# Sigstore's policy-controller: in namespaces labelled policy.sigstore.dev/include=true. A glob cannot contain the @ of
# a digest, so these globs also require signatures of images whose names merely begin like ours.
apiVersion: policy.sigstore.dev/v1beta1
kind: ClusterImagePolicy
metadata:
  name: ska-base-images
spec:
  images:
{globs}
  authorities:
    - name: ska-base-images
      key:
        hashAlgorithm: sha256
        data: |
{key}
"""


async def policy_directory(
    key: dagger.File | None, given: Mapping[str, Any], notation: NotationTrust = _NOBODYS
) -> dagger.Directory:
    """Return the policies as a directory.

    Args:
        key: the public key of cosign, in PEM; None for no policies of its signatures.
        given: the settings given as arguments; only `registry` is read.
        notation: whose signatures with notation count.

    Raises:
        SettingsError: neither was given, or a file does not hold a public key or certificates.
    """
    registry, trust = Settings(**given).registry, parse_notation_trust(notation)
    if key is None and trust is None:
        raise SettingsError(
            "A policy demands the signatures of somebody; give --key FILE for cosign, or --notation-root FILE and "
            "--notation-identity SUBJECT for notation, or all of them."
        )
    files = policies(registry, list(by_name()), await key.contents()) if key is not None else {}
    if trust is not None:
        files |= await notation_policies(registry, list(by_name()), trust)
    return text_files(files)


def policies(registry: str, names: Sequence[str], key: str) -> dict[str, str]:
    """Return the policies by the paths of their files.

    Args:
        registry: HOST[:PORT][/PATH].
        names: the names of the images in it.
        key: the public key, in PEM.

    Raises:
        SettingsError: the file does not hold a public key.
    """
    if not _PUBLIC_KEY.fullmatch(key):
        raise SettingsError(
            "The file of --key does not hold a public key in PEM; give cosign.pub, and keep cosign.key secret."
        )
    repositories = [f"{registry}/{name}" for name in names]
    return {
        "cosign.pub": key,
        "policy.json": _policy_json(repositories, key),
        "registries.d/ska-base-images.yaml": _registries(repositories),
        "kyverno.yaml": _KYVERNO.format(
            references=_listed(12, [f"{name}{how}" for name in repositories for how in (":*", "@*")]),
            key=textwrap.indent(key.strip(), " " * 22),
        ),
        "policy-controller.yaml": _POLICY_CONTROLLER.format(
            globs=_listed(4, [f"{name}*" for name in repositories], "glob: "),
            key=textwrap.indent(key.strip(), " " * 10),
        ),
    }


def _policy_json(repositories: Sequence[str], key: str) -> str:
    """Return /etc/containers/policy.json, which accepts all other images; each site decides about those itself."""
    signed = {
        "type": "sigstoreSigned",
        "keyData": base64.b64encode(key.encode()).decode(),
        # A signature names the repository but no tag, because images are signed by digest.
        "signedIdentity": {"type": "matchRepository"},
    }
    document = {
        "default": [{"type": "insecureAcceptAnything"}],
        "transports": {"docker": {name: [signed] for name in repositories}},
    }
    return json.dumps(document, indent=2) + "\n"


def _registries(repositories: Sequence[str]) -> str:
    lines = [f'  "{name}":\n    use-sigstore-attachments: true\n' for name in repositories]
    return (
        "# For /etc/containers/registries.d: signatures are in the registry, beside the images.\ndocker:\n"
        + "".join(lines)
    )


def _listed(indentation: int, values: Sequence[str], key: str = "") -> str:
    return "\n".join(f'{" " * indentation}- {key}"{value}"' for value in values)
