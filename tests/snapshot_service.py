"""A stand-in of Ubuntu's snapshot service: real signed archives, and a proxy of the loopback that answers for its host.

Steps reach it as they reach any proxy of a site, so that nothing in the product knows of it.
"""

import contextlib
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tests.registry import host_service

HOST = "snapshot.ubuntu.com"
SUITES = ("jammy", "jammy-security")
#: What ska-base and ska-python install; the first brings the certificate of the service.
PACKAGES = ("ca-certificates", "python3", "python-is-python3")
BUNDLE = "etc/ssl/certs/ca-certificates.crt"


def run(*command: str | Path, cwd: Path | None = None) -> bytes:
    """Run a program, and return what it says."""
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True).stdout


def make_key(home: Path) -> Path:
    """Make a key that signs archives; return the keyring with its public half."""
    home.mkdir(mode=0o700)
    gpg = ("gpg", "--homedir", home, "--batch", "--quiet")
    run(*gpg, "--passphrase", "", "--quick-generate-key", "Archive of a test", "ed25519", "sign", "never")
    keyring = home / "archive.gpg"
    keyring.write_bytes(run(*gpg, "--export"))
    run("gpgconf", "--homedir", home, "--kill", "all")
    return keyring


def make_certificate(directory: Path) -> Path:
    """Make a certificate of the service's host with its key, in one file."""
    directory.mkdir()
    subject = ("-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}")
    out = ("-keyout", directory / "key.pem", "-out", directory / "certificate.pem")
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *out)
    return directory


def make_archive(root: Path, version: str, dated: str, key: Path, certificate: Path) -> Path:
    """Write the state of an archive, in which all packages have one version.

    Args:
        root: its directory.
        version: of the packages.
        dated: when it was signed, as in `Fri, 30 Jan 2026 12:00:00 UTC`.
        key: the home directory of the key that signs it.
        certificate: what ca-certificates brings.
    """
    (root / "pool").mkdir(parents=True)
    for name in PACKAGES:
        package = root.with_name(f"{root.name}-{name}")
        (package / "DEBIAN").mkdir(parents=True)
        control = {
            "Package": name,
            "Version": version,
            "Architecture": "all",
            "Maintainer": "a test",
            "Description": name,
        }
        (package / "DEBIAN/control").write_text("".join(f"{field}: {text}\n" for field, text in control.items()))
        if name == "ca-certificates":
            (package / BUNDLE).parent.mkdir(parents=True)
            (package / BUNDLE).write_bytes((certificate / "certificate.pem").read_bytes())
        if name == "python3":
            program = package / "usr/bin/python3"
            program.parent.mkdir(parents=True)
            program.write_text("#!/bin/sh\necho 3.10\n")
            program.chmod(0o755)
        run("dpkg-deb", "--build", "--root-owner-group", package, root / f"pool/{name}_{version}_all.deb")
    architecture = run("dpkg", "--print-architecture").decode().strip()
    for suite in SUITES:
        dist = root / "dists" / suite
        index = dist / "main" / f"binary-{architecture}" / "Packages"
        index.parent.mkdir(parents=True)
        index.write_bytes(run("apt-ftparchive", "packages", "pool", cwd=root))
        fields = {"Suite": suite, "Codename": suite, "Components": "main", "Architectures": architecture}
        options = [f"-oAPT::FTPArchive::Release::{name}={text}" for name, text in fields.items()]
        lines = run("apt-ftparchive", *options, "release", dist).decode().splitlines(keepends=True)
        (dist / "Release").write_text(
            "".join(f"Date: {dated}\n" if line.startswith("Date:") else line for line in lines)
        )
        gpg = ("gpg", "--homedir", key, "--batch", "--quiet")
        run(*gpg, "--clearsign", "--output", dist / "InRelease", dist / "Release")
    run("gpgconf", "--homedir", key, "--kill", "all")
    return root


@dataclass
class Service:
    """The running service.

    Args:
        states: the archives' directories by the moments that name them.
        url: of the proxy.
        requested: every address that was requested.
    """

    states: dict[str, Path]
    url: str = ""
    requested: list[str] = field(default_factory=list)

    def file(self, url: str) -> Path | None:
        """Return the file of an address."""
        self.requested.append(url)
        parts = urlsplit(url)
        _, first, moment, *inside = parts.path.split("/")
        state = self.states.get(moment)
        if parts.hostname != HOST or first != "ubuntu" or state is None:
            return None
        path = state.joinpath(*inside)
        return path if path.is_file() and state in path.resolve().parents else None


@contextlib.contextmanager
def serving(states: Mapping[str, Path], certificate: Path) -> Iterator[Service]:
    """Run the service for the time of a block."""
    service = Service(dict(states))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def do_CONNECT(self) -> None:
            self.send_response(200)
            self.end_headers()
            try:
                self.connection = context.wrap_socket(self.connection, server_side=True)
            except OSError:
                self.close_connection = True
                return
            self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")

        def do_GET(self) -> None:
            tunnel = isinstance(self.connection, ssl.SSLSocket)
            path = service.file(f"https://{self.headers['Host']}{self.path}" if tunnel else self.path)
            content = path.read_bytes() if path else b""
            self.send_response(200 if path else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()

        def finish(self) -> None:
            super().finish()
            self.connection.close()

        def log_message(self, *_: object) -> None:
            pass

    host, _, port = host_service().partition(":")
    with ThreadingHTTPServer((host, int(port)), Handler) as server:
        service.url = f"http://{host}:{port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()
