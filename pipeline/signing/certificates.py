"""Certificates in PEM: https://www.rfc-editor.org/rfc/rfc7468"""

import re
import ssl

import dagger

from pipeline.errors import SettingsError

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s[A-Za-z0-9+/=\s]*-----END \1-----")
_CERTIFICATE = "CERTIFICATE"
#: A chain has three or four; a bundle of a public CA's roots, which no trust store should be, has more.
_MOST = 20


async def read_certificates(file: dagger.File, flag: str) -> tuple[str, ...]:
    """Return the certificates of a file in their order, each in PEM and without the text around it.

    Args:
        file: certificates in PEM.
        flag: the option that named the file, for errors.

    Raises:
        SettingsError: it holds no certificate, too many, something else, or one that cannot be decoded.
    """
    blocks = [(found[1], f"{found[0]}\n") for found in _BLOCK.finditer(await file.contents())]
    if any("PRIVATE KEY" in title for title, _ in blocks):
        raise SettingsError(
            f"The file of {flag} holds a private key; give certificates alone, and keep the key secret."
        )
    certificates = tuple(block for title, block in blocks if title == _CERTIFICATE)
    if not 0 < len(certificates) <= _MOST or len(certificates) < len(blocks):
        raise SettingsError(f"The file of {flag} does not hold 1 to {_MOST} certificates and nothing else; give PEM.")
    try:
        for certificate in certificates:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=certificate)
    except ssl.SSLError as error:
        raise SettingsError(
            f"The file of {flag} holds a damaged certificate ({error.reason}); give it again."
        ) from error
    return certificates
