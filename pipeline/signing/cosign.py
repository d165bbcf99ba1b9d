"""cosign in a container that reaches one registry.

cosign 3 prefers a newer form: bundles, which refer to the image as OCI referrers. podman, skopeo and several versions
of Harbor and Kyverno do not read it. So we write the older one, tags beside the image, `sha256-<digest>.sig` and
`.att`, which all of them read, and read both.
Source: https://github.com/sigstore/cosign/blob/v3.1.1/specs/SIGNATURE_SPEC.md and BUNDLE_SPEC.md
"""

from dataclasses import dataclass

import dagger

from pipeline.build.inputs import Build
from pipeline.gates.tools import Toolbox
from pipeline.registry.registry import Registry
from pipeline.signing.reach import reaching

COSIGN = "/mnt/tools/cosign"
#: Reads and writes the older form.
OLDER_FORM = ("--new-bundle-format=false",)
#: Reads the newer form. cosign falls back to the older one where it finds no bundle.
NEWER_FORM = ("--new-bundle-format=true",)


@dataclass(frozen=True)
class Cosign:
    """cosign, and how it reaches a registry.

    Args:
        container: with the program, the login and the certificates.
        plain_http: whether the registry speaks no TLS.
    """

    container: dagger.Container
    plain_http: bool

    def command(self, verb: str, *arguments: str) -> list[str]:
        """Return a command that talks to the registry."""
        # It also knows --allow-insecure-registry, which would trust every certificate.
        return [COSIGN, verb, *(("--allow-http-registry",) if self.plain_http else ()), *arguments]


async def open_cosign(build: Build, registry: Registry) -> Cosign:
    """Return cosign for a registry.

    Args:
        build: whose base and tools are used.
        registry: that it reaches as the pipeline's own client does.

    Raises:
        ToolError: cosign is missing, or its digest is wrong.
    """
    mount, _ = await Toolbox.of(build).mount("cosign", COSIGN)
    return Cosign(reaching(build.workbench.container.with_(mount), registry), registry.plain_http)


def reason(error: dagger.ExecError) -> str:
    """Return cosign's own message about why it failed."""
    message = error.stderr.rpartition("error during command execution: ")[2]
    # Some messages span two lines and repeat themselves.
    lines = dict.fromkeys(line.strip() for line in message.splitlines() if line.strip())
    return "; ".join(lines) or f"exit code {error.exit_code}"
