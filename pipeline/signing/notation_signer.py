"""Who signs with notation: a key with its certificates, kept for long or issued for one job."""

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

import dagger

from pipeline.errors import SettingsError
from pipeline.signing.certificates import read_certificates

KEY_NAME = "release"
_KEY, _CHAIN, _TIMESTAMP_ROOT = "/mnt/notation-key", "/mnt/chain.pem", "/mnt/timestamp-root.pem"


@dataclass(frozen=True)
class NotationSigner:
    """The signer.

    Args:
        key: the private key, in PEM, without a password.
        chain: its certificate, those of its issuers in their order, and the self-signed root, in PEM.
        timestamp_authority: the address of a time stamp authority (RFC 3161); empty for none.
        timestamp_root: the root certificate of that authority, in PEM.
    """

    key: dagger.Secret | None = None
    chain: dagger.File | None = None
    timestamp_authority: str = ""
    timestamp_root: dagger.File | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        """notation's arguments for signing."""
        stamp = ("--timestamp-url", self.timestamp_authority, "--timestamp-root-cert", _TIMESTAMP_ROOT)
        key = ("--key", KEY_NAME, "--signature-format", "jws")
        return (*key, *(stamp if self.timestamp_authority else ()))

    @property
    def configuration(self) -> dict[str, str]:
        """The files of notation's configuration directory that name the key."""
        keys = {"default": KEY_NAME, "keys": [{"name": KEY_NAME, "keyPath": _KEY, "certPath": _CHAIN}]}
        return {"signingkeys.json": json.dumps(keys)}

    def equip(self, container: dagger.Container) -> dagger.Container:
        """Return the container with the key, as a secret, and the certificates."""
        if self.key is not None:
            container = container.with_mounted_secret(_KEY, self.key)
        for path, file in ((_CHAIN, self.chain), (_TIMESTAMP_ROOT, self.timestamp_root)):
            container = container if file is None else container.with_mounted_file(path, file)
        return container

    async def certificates(self) -> tuple[str, ...]:
        """Return the chain, the signer's own certificate first.

        Raises:
            SettingsError: there is none, or a file does not hold certificates.
        """
        if self.timestamp_root is not None:
            await read_certificates(self.timestamp_root, "--timestamp-root")
        return () if self.chain is None else await read_certificates(self.chain, "--notation-chain")


def parse_notation_signer(given: NotationSigner) -> NotationSigner | None:
    """Return the signer; None if none was given.

    Raises:
        SettingsError: an option is missing, or belongs to one that was not given.
    """
    if given.key is None:
        for extra, flag in (
            (given.chain, "--notation-chain"),
            (given.timestamp_authority, "--timestamp-authority"),
            (given.timestamp_root, "--timestamp-root"),
        ):
            if extra:
                raise SettingsError(f"The option {flag} belongs to --notation-key; give that too, or leave it out.")
        return None
    if given.chain is None:
        raise SettingsError(
            "notation signs with a key and the certificates that vouch for it; give --notation-chain FILE with the "
            "key's own certificate first and the root last."
        )
    if bool(given.timestamp_authority) != (given.timestamp_root is not None):
        raise SettingsError(
            "A time stamp is taken from an authority and verified with its root certificate; give both "
            "--timestamp-authority URL and --timestamp-root FILE."
        )
    if given.timestamp_authority and not _is_address(given.timestamp_authority):
        raise SettingsError(
            f"The time stamp authority {given.timestamp_authority!r} is not an address without a login; write "
            "http://HOST/PATH or https://HOST/PATH."
        )
    return given


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        return False
