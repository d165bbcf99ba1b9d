"""cosign in a container that reaches one registry; nothing else in the container uses the network.

cosign 2.x stores signatures under tags beside the image, `sha256-<digest>.sig` and `.att`, which podman, skopeo,
Kyverno and policy-controller find in every registry. Its OCI referrers are experimental: skopeo and podman do not read
them, and cosign reads them only on request, so we do not use them.
Source: https://github.com/sigstore/cosign/blob/v2.5.0/specs/SIGNATURE_SPEC.md
"""

import base64
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import certifi
import dagger
from dagger import dag

from pipeline.build.inputs import Build
from pipeline.gates.tools import Toolbox
from pipeline.registry.access import Access
from pipeline.registry.registry import Registry

COSIGN = "/mnt/tools/cosign"
_DOCKER_CONFIG = "/mnt/login"
_CERTIFICATES = "/mnt/certificates.pem"
_OUTPUT = "/tmp/cosign-output"  # noqa: S108  in cosign's container, and thrown away with it
# Attestations are large; the output of a step is shown and kept by the engine, a file of it is not.
_QUIETLY = 'output=$1; shift; "$@" >"$output"'


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
    return Cosign(
        _reaching(build.workbench.container.with_(mount), registry.access, registry.address.host), registry.plain_http
    )


def _reaching(container: dagger.Container, access: Access, host: str) -> dagger.Container:
    run = uuid.uuid4().hex
    certificates = Path(access.ca or certifi.where()).read_text(encoding="utf-8")
    container = (
        container.with_user("root")
        # Otherwise an engine would answer a second signing with the cached result of the first.
        .with_env_variable("SKA_RUN", run)
        .with_env_variable("HOME", "/tmp")  # noqa: S108  in the container
        .with_env_variable("DOCKER_CONFIG", _DOCKER_CONFIG)
        # Plain bases have no certificates.
        .with_env_variable("SSL_CERT_FILE", _CERTIFICATES)
        .with_mounted_file(_CERTIFICATES, file_of("certificates.pem", certificates))
    )
    if access.password is None:
        return container
    login = f"{access.username}:{access.password.get_secret_value()}".encode()
    config = {"auths": {host: {"auth": base64.b64encode(login).decode()}}}
    secret = dag.set_secret(f"login-{run}", json.dumps(config))
    return container.with_mounted_secret(f"{_DOCKER_CONFIG}/config.json", secret)


def file_of(name: str, text: str) -> dagger.File:
    """Return a file that holds a text."""
    return dag.directory().with_new_file(name, text).file(name)


def quietly(container: dagger.Container, step: str, command: Sequence[str]) -> dagger.File:
    """Return the standard output of a command as a file, without showing it.

    Args:
        container: runs the command.
        step: the command's name in progress and errors.
        command: a program and its arguments.
    """
    return container.with_exec(["sh", "-euc", _QUIETLY, step, _OUTPUT, *command]).file(_OUTPUT)


def reason(error: dagger.ExecError) -> str:
    """Return cosign's own message about why it failed."""
    message = error.stderr.rpartition("error during command execution: ")[2]
    # Some messages span two lines and repeat themselves.
    lines = dict.fromkeys(line.strip() for line in message.splitlines() if line.strip())
    return "; ".join(lines) or f"exit code {error.exit_code}"
