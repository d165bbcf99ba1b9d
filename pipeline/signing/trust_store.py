"""What notation trusts: root certificates, and the identity that they must vouch for.

Source: https://github.com/notaryproject/specifications/blob/v1.1.0/specs/trust-store-trust-policy.md
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dagger

from pipeline.errors import SettingsError
from pipeline.signing.certificates import read_certificates

ANYBODY = "*"
#: The name of the trust policy, and of the stores.
NAME = "ska-base-images"
_ROOT, _TIMESTAMP_ROOT = "--notation-root", "--timestamp-root"
_ATTRIBUTE = re.compile(r"(?:^|,)\s*([A-Za-z]+)\s*=")


@dataclass(frozen=True)
class NotationTrust:
    """The certificates whose signatures count.

    Args:
        root: root certificates of the CA, in PEM.
        identity: the subject that a signer's certificate must have, as in C=AU, ST=WA, O=SKAO, CN=Releases, or its
            first attributes; * for every certificate of that CA.
        timestamp_root: root certificates of the time stamp authority, in PEM; with them, a signature needs a time
            stamp, and outlives its certificate.
    """

    root: dagger.File | None = None
    identity: str = ""
    timestamp_root: dagger.File | None = None


def parse_notation_trust(given: NotationTrust, prefix: str = "") -> NotationTrust | None:
    """Return whose signatures count; None if nobody's were given.

    Args:
        given: the options.
        prefix: of the options' names, as in from-.

    Raises:
        SettingsError: an option is missing, or the identity is malformed.
    """
    flags = [f"--{prefix}{name}" for name in ("notation-root", "notation-identity", "timestamp-root")]
    if given.root is None and not given.identity:
        if given.timestamp_root is not None:
            raise SettingsError(f"The option {flags[2]} belongs to {flags[0]}; give that too, or leave it out.")
        return None
    if given.root is None or not given.identity:
        raise SettingsError(
            f"A signature of notation is of a CA and an identity; give both {flags[0]} FILE and {flags[1]} SUBJECT."
        )
    if given.identity != ANYBODY and not is_identity(given.identity):
        raise SettingsError(
            f"The identity {given.identity!r} is not the subject of a certificate with a country, a state and an "
            f"organisation; write {flags[1]} 'C=AU, ST=WA, O=SKAO, CN=NAME', or '*' for a CA that signs releases alone."
        )
    return given


def is_identity(subject: str) -> bool:
    """Return whether notation can compare a subject: it wants C, ST (or S) and O, each once."""
    names = [name.upper().replace("ST", "S") for name in _ATTRIBUTE.findall(subject)]
    return {"C", "S", "O"} <= set(names) and len(set(names)) == len(names) and "+" not in subject


async def trust_files(trust: NotationTrust, scopes: Sequence[str]) -> dict[str, str]:
    """Return notation's trust policy and trust stores, by their paths in its configuration directory.

    Args:
        trust: whose signatures count.
        scopes: the repositories that the policy is for; * for all.

    Raises:
        SettingsError: a file does not hold certificates.
    """
    stores = {"ca": trust.root, "tsa": trust.timestamp_root}
    files = {"trustpolicy.json": json.dumps(trust_policy(trust, scopes), indent=2) + "\n"}
    for kind, file in stores.items():
        if file is not None:
            flag = _ROOT if kind == "ca" else _TIMESTAMP_ROOT
            for number, certificate in enumerate(await read_certificates(file, flag), start=1):
                files[f"truststore/x509/{kind}/{NAME}/{number}.pem"] = certificate
    return files


def trust_policy(trust: NotationTrust, scopes: Sequence[str]) -> Mapping[str, object]:
    """Return a trust policy that demands integrity, authenticity, validity and no revocation."""
    stores = [f"ca:{NAME}", *([f"tsa:{NAME}"] if trust.timestamp_root is not None else ())]
    who = ANYBODY if trust.identity == ANYBODY else f"x509.subject: {trust.identity}"
    statement = {
        "name": NAME,
        "registryScopes": list(scopes),
        "signatureVerification": {"level": "strict"},
        "trustStores": stores,
        "trustedIdentities": [who],
    }
    return {"version": "1.0", "trustPolicies": [statement]}
