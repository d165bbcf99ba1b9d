"""A private CA and what it signs, made by openssl."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Signed:
    """A server's certificate and key, and the CA that signed it."""

    ca: Path
    certificate: Path
    key: Path


def sign(directory: Path) -> Signed:
    """Make a CA, and a certificate for this machine's addresses."""
    signed = Signed(directory / "ca.pem", directory / "server.pem", directory / "server.key")
    ca_key, days = directory / "ca.key", ("-days", "2")
    new = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", *days)
    _openssl(*new, "-subj", "/CN=A private CA", "-keyout", ca_key, "-out", signed.ca)
    names = ("-subj", "/CN=registry", "-addext", "subjectAltName=IP:127.0.0.1,IP:0.0.0.0")
    by_ca = ("-CA", signed.ca, "-CAkey", ca_key, "-addext", "basicConstraints=CA:FALSE")
    _openssl(*new, *names, *by_ca, "-keyout", signed.key, "-out", signed.certificate)
    return signed


def _openssl(*argv: str | Path) -> None:
    subprocess.run(["openssl", *argv], check=True, capture_output=True)
