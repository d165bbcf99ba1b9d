"""Policies that demand notation's signatures: notation's own, Kyverno's and Ratify's.

Sources: https://github.com/notaryproject/specifications/blob/v1.1.0/specs/trust-store-trust-policy.md,
https://kyverno.io/docs/policy-types/cluster-policy/verify-images/notary/ and
https://ratify.dev/docs/plugins/verifier/notation
"""

import json
import textwrap
from collections.abc import Sequence

from pipeline.signing.trust_store import NAME, NotationTrust, trust_files, trust_policy

_KYVERNO = """\
# Kyverno 1.10 or later: pods run these images only if a certificate of the CA signed them, and only by digest. Kyverno
# compares no identity and no time stamp: give it a CA that signs releases alone, or use Ratify.
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata:
  name: ska-base-images-notation
spec:
  validationFailureAction: Enforce
  background: false
  webhookTimeoutSeconds: 30
  rules:
    - name: signed-with-notation
      match:
        any:
          - resources:
              kinds: [Pod]
      verifyImages:
        - type: Notary
          imageReferences:
{references}
          required: true
          mutateDigest: true
          verifyDigest: true
          attestors:
            - count: 1
              entries:
                - certificates:
                    cert: |-
{root}
"""

_RATIFY = """\
# Ratify 1.3 or later, with its template and constraint for Gatekeeper: the same policy as trustpolicy.json.
apiVersion: config.ratify.deislabs.io/v1beta1
kind: Verifier
metadata:
  name: {name}
spec:
  name: notation
  artifactTypes: application/vnd.cncf.notary.signature
  parameters:
    verificationCertStores:
{stores}
    trustPolicyDoc: {policy}
"""
_PROVIDER = """\
---
apiVersion: config.ratify.deislabs.io/v1beta1
kind: KeyManagementProvider
metadata:
  name: {name}-{kind}-{number}
spec:
  type: inline
  parameters:
    contentType: certificate
    value: |
{certificate}
"""


async def notation_policies(registry: str, names: Sequence[str], trust: NotationTrust) -> dict[str, str]:
    """Return the policies by the paths of their files.

    Args:
        registry: HOST[:PORT][/PATH].
        names: the names of the images in it.
        trust: whose signatures count.

    Raises:
        SettingsError: a file does not hold certificates.
    """
    repositories = [f"{registry}/{name}" for name in names]
    files = await trust_files(trust, repositories)
    references = [f'{" " * 12}- "{name}{how}"' for name in repositories for how in (":*", "@*")]
    certificates = {path: text for path, text in files.items() if path.startswith("truststore/")}
    roots = [text for path, text in certificates.items() if "/ca/" in path]
    root = textwrap.indent("".join(roots).strip(), " " * 22)
    return {
        **{f"notation/{path}": text for path, text in files.items()},
        "kyverno-notation.yaml": _KYVERNO.format(references="\n".join(references), root=root),
        "ratify.yaml": _ratify(certificates, trust, repositories),
    }


def _ratify(certificates: dict[str, str], trust: NotationTrust, repositories: Sequence[str]) -> str:
    stores: dict[str, list[str]] = {}
    providers = []
    for path, text in certificates.items():
        kind, number = path.split("/")[2], path.rpartition("/")[2].partition(".")[0]
        stores.setdefault(kind, []).append(f"{NAME}-{kind}-{number}")
        certificate = textwrap.indent(text.strip(), " " * 6)
        providers.append(_PROVIDER.format(name=NAME, kind=kind, number=number, certificate=certificate))
    listed = "\n".join(
        f"      {kind}:\n        {NAME}:\n" + "\n".join(f"          - {name}" for name in found)
        for kind, found in stores.items()
    )
    # JSON is YAML.
    policy = json.dumps(trust_policy(trust, repositories))
    return _RATIFY.format(name=NAME, stores=listed, policy=policy) + "".join(providers)
