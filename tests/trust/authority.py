"""A certificate authority with what it issues, and a time stamp authority (RFC 3161): both by openssl."""

import contextlib
import http.server
import itertools
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import dagger
from dagger import dag

from pipeline.signing.notation_signer import NotationSigner
from pipeline.signing.trust_store import NotationTrust
from tests.registry import host_service

#: The subject of each certificate, but for its name.
ORGANISATION = "C=AU, ST=WA, O=Observatory"
_EXTENSIONS = """\
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
[signer]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = codeSigning
[revocable]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = codeSigning
crlDistributionPoints = URI:http://{list}/list.crl
[stamper]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
"""
#: What issues certificates to the second, and lists the revoked ones.
_ISSUING = """\
[ca]
default_ca = own
[own]
database = {directory}/index.txt
new_certs_dir = {directory}
rand_serial = yes
default_md = sha256
default_crl_days = 2
unique_subject = no
crlnumber = {directory}/crlnumber
crl_extensions = list
policy = any
[list]
authorityKeyIdentifier = keyid
[any]
countryName = supplied
stateOrProvinceName = supplied
organizationName = supplied
commonName = supplied
"""
_STAMPING = """\
[tsa]
default_tsa = own
[own]
serial = {directory}/serial
signer_cert = {certificate}
certs = {root}
signer_key = {key}
signer_digest = sha256
default_policy = 1.2.3.4.1
other_policies = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


@dataclass(frozen=True)
class Issued:
    """A certificate with its key.

    Args:
        name: the common name of its subject.
        key: the private key.
        certificate: the certificate alone.
        chain: the certificate, its issuers', and the root.
    """

    name: str
    key: Path
    certificate: Path
    chain: Path

    @property
    def identity(self) -> str:
        """The subject, as a trust policy names it."""
        return f"{ORGANISATION}, CN={self.name}"

    @property
    def signer(self) -> NotationSigner:
        """Who signs with it."""
        key = dag.set_secret(f"key-{self.key}", self.key.read_text())
        return NotationSigner(key, file(self.chain))


class Authority:
    """A root, and an intermediate certificate that issues the others."""

    def __init__(self, directory: Path, name: str, revocations: str = "127.0.0.1:9") -> None:
        directory.mkdir()
        self._directory, self._config = directory, directory / "openssl.cnf"
        self._config.write_text(_EXTENSIONS.format(list=revocations))
        self._numbers = itertools.count()
        self.root = self._make(f"{name} root", "ca", None)
        self._issuer = self._make(f"{name} issuer", "ca", self.root)

    def issue(self, name: str, extensions: str = "signer") -> Issued:
        """Issue a certificate."""
        return self._make(name, extensions, self._issuer)

    def issue_for_a_job(self, name: str, until: datetime) -> Issued:
        """Issue a certificate that expires at a moment, in UTC."""
        issued = self._make(name, "signer", self._issuer)
        dates = ("-startdate", _in_asn1(until - timedelta(hours=1)), "-enddate", _in_asn1(until))
        given = ("-extfile", self._config, "-extensions", "signer")
        request = issued.key.with_suffix(".csr")
        self._ca("-batch", "-notext", "-in", request, *dates, *given, "-out", issued.certificate)
        issued.chain.write_text(issued.certificate.read_text() + self._issuer.chain.read_text())
        return issued

    def own(self, name: str) -> Issued:
        """Make a certificate that signed itself, which the authority has never seen."""
        return self._make(name, "signer", None)

    def trust(self, issued: Issued, stamps: "Stamps | None" = None) -> NotationTrust:
        """Return what trusts a certificate of this authority."""
        stamped = file(stamps.root) if stamps else None
        return NotationTrust(file(self.root.certificate), issued.identity, stamped)

    def revoke(self, *revoked: Issued) -> bytes:
        """Return the list of revoked certificates of the issuer."""
        for one in revoked:
            self._ca("-revoke", one.certificate)
        self._ca("-gencrl", "-out", self._directory / "list.pem")
        return openssl("crl", "-in", self._directory / "list.pem", "-outform", "DER")

    def _ca(self, *arguments: str | Path) -> None:
        (self._directory / "index.txt").touch()
        if not (number := self._directory / "crlnumber").exists():
            number.write_text("01\n")
        (self._directory / "ca.cnf").write_text(_ISSUING.format(directory=self._directory))
        by = ("-config", self._directory / "ca.cnf", "-cert", self._issuer.certificate, "-keyfile", self._issuer.key)
        openssl("ca", *by, *arguments)

    def _make(self, name: str, extensions: str, issuer: Issued | None) -> Issued:
        stem = self._directory / f"{next(self._numbers)}-{name.replace(' ', '-')}"
        key, certificate, chain, request = (stem.with_suffix(suffix) for suffix in (".key", ".pem", ".chain", ".csr"))
        subject = "/" + f"{ORGANISATION}, CN={name}".replace(", ", "/")
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        openssl("req", "-new", "-config", self._config, "-key", key, "-subj", subject, "-out", request)
        by = (
            ("-CA", issuer.certificate, "-CAkey", issuer.key, "-CAcreateserial")
            if issuer
            else ("-signkey", key, "-set_serial", "1")
        )
        given = ("-extfile", self._config, "-extensions", extensions, "-sha256", "-days", "2")
        openssl("x509", "-req", "-in", request, *by, *given, "-out", certificate)
        chain.write_text(certificate.read_text() + (issuer.chain.read_text() if issuer else ""))
        return Issued(name, key, certificate, chain)


@dataclass(frozen=True)
class Stamps:
    """A time stamp authority that runs.

    Args:
        address: its address.
        root: its root certificate.
    """

    address: str
    root: Path


@contextlib.contextmanager
def stamping(directory: Path) -> Iterator[Stamps]:
    """A time stamp authority for the time of a block."""
    authority = Authority(directory, "stamps")
    issued = authority.issue("stamper", "stamper")
    (directory / "serial").write_text("01\n")
    config = directory / "stamping.cnf"
    names = {"certificate": issued.certificate, "root": issued.chain, "key": issued.key}
    config.write_text(_STAMPING.format(directory=directory, **names))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = directory / "query.tsq"
            query.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            answer = openssl("ts", "-reply", "-config", config, "-queryfile", query)
            _answer(self, answer, "application/timestamp-reply")

        def log_message(self, *_: object) -> None:
            """Keep the tests' output readable."""

    with _serving(Handler) as address:
        yield Stamps(f"http://{address}", authority.root.certificate)


@contextlib.contextmanager
def listing(lists: dict[str, bytes], address: str) -> Iterator[None]:
    """A server of lists of revoked certificates, by their paths."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, lists[self.path], "application/pkix-crl")

        def log_message(self, *_: object) -> None:
            """Keep the tests' output readable."""

    with _serving(Handler, address):
        yield


def _answer(handler: http.server.BaseHTTPRequestHandler, content: bytes, media_type: str) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", media_type)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


@contextlib.contextmanager
def _serving(handler: type[http.server.BaseHTTPRequestHandler], address: str = "") -> Iterator[str]:
    address = address or host_service()
    host, _, port = address.partition(":")
    server = http.server.HTTPServer((host, int(port)), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield address
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _in_asn1(moment: datetime) -> str:
    return f"{moment:%y%m%d%H%M%S}Z"


def openssl(*arguments: str | Path) -> bytes:
    """Run openssl, and return its output."""
    done = subprocess.run(["openssl", *arguments], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def file(path: Path) -> dagger.File:
    """Return a file of this machine."""
    return dag.host().file(str(path))
