"""Who signs: a key, a key in a KMS, or a GitLab job by its identity.

Sources: https://github.com/sigstore/cosign/blob/v2.5.0/KMS.md and
https://docs.gitlab.com/ci/yaml/signing_examples/ (keyless).
"""

import re
import uuid
from dataclasses import dataclass

import dagger
from dagger import dag

from pipeline.errors import SettingsError

_KEY = "/mnt/key/cosign.key"
_KMS = re.compile(r"(awskms|gcpkms|azurekms|hashivault|k8s)://[A-Za-z0-9._:/@=+-]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Signer:
    """Who signs; exactly one of key, kms and identity_token.

    A key's signatures go into no public log unless asked for: closed networks do not reach one, and its entries tell
    the names of images. Without a key the log is what proves when a certificate of ten minutes was used.

    Args:
        key: cosign's private key, encrypted, in PEM.
        password: of the key.
        kms: where a KMS has the key, as in awskms:///alias/release.
        environment: lines NAME=value, by which cosign logs in to the KMS.
        identity_token: of a GitLab job, with the audience sigstore.
        tlog: enter signatures of a key into the transparency log.
    """

    key: dagger.Secret | None = None
    password: dagger.Secret | None = None
    kms: str = ""
    environment: dagger.Secret | None = None
    identity_token: dagger.Secret | None = None
    tlog: bool = False

    @property
    def has_key(self) -> bool:
        """Whether there is a public key to verify with."""
        return self.identity_token is None

    @property
    def key_arguments(self) -> tuple[str, ...]:
        """The arguments of cosign that name the key."""
        return ("--key", self.kms or _KEY) if self.has_key else ()

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments of cosign with which it signs."""
        log = self.tlog or not self.has_key
        return ("--yes", *self.key_arguments, f"--tlog-upload={'true' if log else 'false'}")

    async def equip(self, container: dagger.Container) -> dagger.Container:
        """Return a container with all that cosign needs to sign, as secrets."""
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
            # Without the variable cosign asks a terminal.
            return container.with_env_variable("COSIGN_PASSWORD", "")
        # A file often ends with a line break that is no part of the password.
        password = (await self.password.plaintext()).rstrip("\r\n")
        return container.with_secret_variable(
            "COSIGN_PASSWORD", dag.set_secret(f"cosign-password-{uuid.uuid4().hex}", password)
        )


def parse_signer(given: Signer) -> Signer | None:
    """Return who signs; None where nobody was named.

    Raises:
        SettingsError: two were named, or what belongs to one that was not.
    """
    named = [given.key is not None, bool(given.kms), given.identity_token is not None]
    if sum(named) > 1:
        raise SettingsError("Images are signed by one: give --key, --kms-key or --identity-token, and not two of them.")
    for extra, of, flags in (
        (given.password, given.key, "--key-password belongs to --key"),
        (given.environment, given.kms, "--kms-environment belongs to --kms-key"),
        (given.tlog, given.key or given.kms, "--tlog belongs to --key or --kms-key"),
    ):
        if extra and not of:
            raise SettingsError(f"The option {flags}; give that too, or leave it out.")
    if given.kms and not _KMS.fullmatch(given.kms):
        raise SettingsError(
            f"The key {given.kms!r} is in no KMS that cosign knows; write it as in awskms:///alias/NAME, gcpkms://…, "
            "azurekms://…, hashivault://NAME or k8s://NAMESPACE/NAME, and give a key's file with --key file://PATH."
        )
    return given if any(named) else None


def _variables(text: str) -> list[tuple[str, str]]:
    pairs = [line.partition("=") for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if any(not (equals and _VARIABLE.fullmatch(name)) for name, equals, _ in pairs):
        # The line may hold a secret, so the sentence does not.
        raise SettingsError("A line of --kms-environment is not NAME=value; mend it.")
    return [(name, value) for name, _, value in pairs]
