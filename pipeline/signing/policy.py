"""What has podman, skopeo and clusters take images of this pipeline only when they are signed.

All files are made from the same data: the registry, the catalogue and the public key. Sources:
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
from dagger import dag

from pipeline.build.settings import Settings
from pipeline.catalogue.lookup import by_name
from pipeline.errors import SettingsError

_PUBLIC_KEY = re.compile(r"-----BEGIN PUBLIC KEY-----\s[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----\s*")

_KYVERNO = """\
# Kyverno 1.10 or later: pods run these images only when they are signed, and by their digests.
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
                    # Signatures of a key are in no public log unless publish was given --tlog.
                    rekor:
                      ignoreTlog: true
                    ctlog:
                      ignoreSCT: true
"""

_POLICY_CONTROLLER = """\
# Sigstore's policy-controller: in namespaces labelled policy.sigstore.dev/include=true. A glob takes no @ of a digest,
# so that these ask a signature also of an image whose name goes on.
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


async def policy_directory(key: dagger.File, given: Mapping[str, Any]) -> dagger.Directory:
    """Return the files of the policies.

    Args:
        key: the public one, in PEM.
        given: the settings that were given as arguments; `registry` is read.

    Raises:
        SettingsError: the key is no public key.
    """
    registry = Settings(**given).registry
    directory = dag.directory()
    for path, text in policies(registry, list(by_name()), await key.contents()).items():
        directory = directory.with_new_file(path, text)
    return directory


def policies(registry: str, names: Sequence[str], key: str) -> dict[str, str]:
    """Return the policies, by the paths of their files.

    Args:
        registry: HOST[:PORT][/PATH].
        names: of the images in it.
        key: the public one, in PEM.

    Raises:
        SettingsError: the key is no public key.
    """
    if not _PUBLIC_KEY.fullmatch(key):
        raise SettingsError(
            "The file of --key holds no public key in PEM; give cosign.pub, and keep cosign.key secret."
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
    """Return /etc/containers/policy.json: other images are taken as they are, which is for each site to change."""
    signed = {
        "type": "sigstoreSigned",
        "keyData": base64.b64encode(key.encode()).decode(),
        # The signature says the repository, and no tag: images are signed by their digests.
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
