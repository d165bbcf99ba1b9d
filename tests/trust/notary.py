"""notation as any consumer has it, outside of containers, and who signs with it."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.build.inputs import Build
from pipeline.registry.registry import Registry
from pipeline.release.push import Candidate, push_release
from pipeline.release.tags import Tags
from pipeline.signing.both_kinds import SignerPair, open_signatories
from pipeline.signing.notation_signer import NotationSigner
from pipeline.signing.signer import Signer
from tests.trust.authority import Authority, Issued, Stamps, stamping
from tests.trust.signing import TAGS

__all__ = ["authority", "notation", "releases", "stamps"]


@dataclass(frozen=True)
class Notary:
    """notation, with a configuration of its own.

    Args:
        binary: the program.
        home: the directory of its configuration.
    """

    binary: Path
    home: Path

    def __call__(self, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run it without a login and a terminal."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home)}
        return subprocess.run(
            [self.binary, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def sign(self, issued: Issued, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        """Sign an image in a registry without TLS."""
        keys = [{"name": "one", "keyPath": str(issued.key), "certPath": str(issued.chain)}]
        self._write("signingkeys.json", json.dumps({"default": "one", "keys": keys}))
        return self("sign", "--insecure-registry", "--force-referrers-tag=false", *arguments)

    def verify(self, root: Path, identity: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Verify an image in a registry without TLS, as its signer's own documentation says."""
        policy = {
            "name": "any",
            "registryScopes": ["*"],
            "signatureVerification": {"level": "strict"},
            "trustStores": ["ca:any"],
            "trustedIdentities": [identity],
        }
        self._write("trustpolicy.json", json.dumps({"version": "1.0", "trustPolicies": [policy]}))
        self._write("truststore/x509/ca/any/root.pem", root.read_text())
        return self("verify", "--insecure-registry", *arguments)

    def _write(self, name: str, text: str) -> None:
        path = self.home / "notation" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def notation(tools: Path, tmp_path: Path) -> Notary:
    """The program, with an empty configuration."""
    return Notary(tools / "notation", tmp_path / "notation")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority."""
    return Authority(tmp_path_factory.mktemp("authority") / "own", "Observatory")


@pytest.fixture(scope="session")
def releases(authority: Authority) -> Issued:
    """The certificate that signs releases."""
    return authority.issue("Releases")


@pytest.fixture(scope="session")
def stamps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stamps]:
    """A time stamp authority."""
    with stamping(tmp_path_factory.mktemp("stamps") / "own") as one:
        yield one


async def publish_with_notation(
    workbench: Build,
    registry: Registry,
    images: list[Candidate],
    signer: NotationSigner,
    cosign: Signer | None = None,
    tags: Tags = TAGS,
) -> None:
    """Publish a release whose images are signed with notation, and with cosign where a key is given."""
    signatories = await open_signatories(workbench, registry, SignerPair(cosign, signer))
    assert signatories

    async def sign(references: object) -> None:
        await signatories.sign_images(references, {})  # type: ignore[arg-type]

    await push_release(registry, tags, images, sign=sign)


async def copy_signatures(registry: Registry, source: Candidate, target: Candidate) -> None:
    """Copy what refers to an image to where that of the same image under another name is looked for."""
    origin, to = registry.repository(source.name), registry.repository(target.name)
    for found in await origin.referrers(source.digest):
        manifest = await origin.manifest(found.digest)
        assert manifest
        for blob in manifest.blobs:
            assert await to.has(blob) or await to.mount(blob, origin)
        await to.push_manifest(manifest.digest, manifest)
    listed = await origin.manifest(source.digest.replace(":", "-"))
    assert listed
    await to.push_manifest(target.digest.replace(":", "-"), listed)
