"""A container that reaches one registry as the pipeline's own client does; nothing else in it uses the network."""

import base64
import json
import uuid
from collections.abc import Sequence
from pathlib import Path

import certifi
import dagger
from dagger import dag

from pipeline.registry.registry import Registry

_DOCKER_CONFIG = "/mnt/login"
_CERTIFICATES = "/mnt/certificates.pem"
_OUTPUT = "/tmp/signing-output"  # noqa: S108  in a signer's container, and thrown away with it
# Attestations are large; the output of a step is shown and kept by the engine, a file of it is not.
_QUIETLY = 'output=$1; shift; "$@" >"$output"'


def reaching(container: dagger.Container, registry: Registry) -> dagger.Container:
    """Return a container with the certificates and the login of a registry, and with no other login."""
    run, access = uuid.uuid4().hex, registry.access
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
    config = {"auths": {registry.address.host: {"auth": base64.b64encode(login).decode()}}}
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
