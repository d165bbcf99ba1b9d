"""The signer: a key, a key in a KMS, or the identity of a GitLab job.

Sources: https://github.com/sigstore/cosign/blob/v3.1.1/KMS.md and
https://docs.gitlab.com/ci/yaml/signing_examples/ (keyless).
"""

import re
import uuid
from dataclasses import dataclass

import dagger
from dagger import dag

from pipeline.errors import SettingsError
from pipeline.signing.cosign import OLDER_FORM

_KEY = "/mnt/key/cosign.key"
_KMS = re.compile(r"(awskms|gcpkms|azurekms|hashivault|k8s)://[A-Za-z0-9._:/@=+-]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Signer:
    """The signer: exactly one of key, kms and identity_token.

    A key's signatures enter a public log only on request: closed networks cannot reach one, and its entries reveal the
    names of images. Without a key, the log proves that a certificate was used during its ten minutes.

    Args:
        key: cosign's private key, encrypted, in PEM.
        password: the key's password.
        kms: the key's URI in a KMS, as in awskms:///alias/release.
        environment: lines NAME=value, which log cosign in to the KMS.
        identity_token: the ID token of a GitLab job, with the audience sigstore.
        tlog: enter the key's signatures into the transparency log.
    """

    key: dagger.Secret | None = None
    password: dagger.Secret | None = None
    kms: str = ""
    environment: dagger.Secret | None = None
    identity_token: dagger.Secret | None = None
    tlog: bool = False

    @property
    def has_key(self) -> bool:
        """Whether signatures are verified with a public key."""
        return self.identity_token is None

    @property
    def key_arguments(self) -> tuple[str, ...]:
        """cosign's arguments that name the key."""
        return ("--key", self.kms or _KEY) if self.has_key else ()

    @property
    def arguments(self) -> tuple[str, ...]:
        """cosign's arguments for signing."""
        log = self.tlog or not self.has_key
        # A configuration of cosign 3 would always name a log, and write the newer form.
        older = ("--use-signing-config=false", *OLDER_FORM)
        return ("--yes", *self.key_arguments, *older, f"--tlog-upload={'true' if log else 'false'}")

    async def equip(self, container: dagger.Container) -> dagger.Container:
        """Return the container with everything that cosign needs to sign, as secrets."""
        if self.identity_token is not None:
            return container.with_secret_variable("SIGSTORE_ID_TOKEN", self.identity_token)
        if self.key is not None:
            container = container.with_mounted_secret(_KEY, self.key)
        if self.environment is not None:
            for name, value in _variables(await self.environment.plaintext()):
                container = container.with_secret_variable(
                    name, dag.set_secret(f"kms-{name}-{uuid.uuid4().hex}", value)
                )
        if self.password is None:
            # Without the variable, cosign asks on the terminal.
            return container.with_env_variable("COSIGN_PASSWORD", "")
        # Files often end with a line break that is not part of the password.
        password = (await self.password.plaintext()).rstrip("\r\n")
        return container.with_secret_variable(
            "COSIGN_PASSWORD", dag.set_secret(f"cosign-password-{uuid.uuid4().hex}", password)
        )


def parse_signer(given: Signer) -> Signer | None:
    """Return the signer; None if none was given.

    Raises:
        SettingsError: two were given, or an option of one that was not given.
    """
    named = [given.key is not None, bool(given.kms), given.identity_token is not None]
    if sum(named) > 1:
        raise SettingsError("Images have one signer; give only one of --key, --kms-key and --identity-token.")
    for extra, of, flags in (
        (given.password, given.key, "--key-password belongs to --key"),
        (given.environment, given.kms, "--kms-environment belongs to --kms-key"),
        (given.tlog, given.key or given.kms, "--tlog belongs to --key or --kms-key"),
    ):
        if extra and not of:
            raise SettingsError(f"The option {flags}; give that too, or leave it out.")
    if given.kms and not _KMS.fullmatch(given.kms):
        raise SettingsError(
            f"The key {given.kms!r} is not in a KMS that cosign knows; write awskms:///alias/NAME, gcpkms://…, "
            "azurekms://…, hashivault://NAME or k8s://NAMESPACE/NAME, or give a key's file with --key file://PATH."
        )
    return given if any(named) else None


def _variables(text: str) -> list[tuple[str, str]]:
    pairs = [line.partition("=") for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if any(not (equals and _VARIABLE.fullmatch(name)) for name, equals, _ in pairs):
        # The line may hold a secret, so the error does not repeat it.
        raise SettingsError("A line of --kms-environment is not of the form NAME=value; correct it.")
    return [(name, value) for name, _, value in pairs]
