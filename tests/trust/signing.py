"""cosign's keys, and what signs small releases in a registry."""

import os
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import dagger
import pytest
import pytest_asyncio
from dagger import dag
from embedded_engine.session import Session

from pipeline.build.base import select_bases
from pipeline.build.inputs import Build
from pipeline.build.settings import Settings
from pipeline.registry.address import Reference
from pipeline.registry.registry import Registry
from pipeline.release.push import Candidate, push_release
from pipeline.release.tags import Tags
from pipeline.signing.attestation import Attestation
from pipeline.signing.sign import open_signing, sign_images
from pipeline.signing.signature import Trusted
from pipeline.signing.signer import Signer
from tests.publish.conftest import path, registry, release, server
from tests.registry import running

__all__ = ["path", "registry", "release", "server"]

#: Of every key.
PASSWORD = "a-password-that-no-log-shows"  # noqa: S105
STAND_IN = "bootstrap:auto"
TAGS = Tags("1.0.0")
#: What is signed of images where no test reads it.
ATTESTATIONS = (
    Attestation("cyclonedx", b'{"bomFormat": "CycloneDX", "specVersion": "1.6"}'),
    Attestation("https://in-toto.io/attestation/test-result/v0.1", b'{"result": "PASSED"}'),
    Attestation("https://in-toto.io/attestation/test-result/v0.1", b'{"result": "WARNED"}'),
)


@dataclass(frozen=True)
class KeyPair:
    """Files of cosign's keys."""

    private: Path
    public: Path

    @property
    def signer(self) -> Signer:
        """Who signs with it; in these tests a name is given to a secret once."""
        key = dag.set_secret(f"key-{self.private}", self.private.read_text())
        return Signer(key, dag.set_secret(f"password-{self.private}", PASSWORD))

    @property
    def trusted(self) -> Trusted:
        """What trusts it."""
        return Trusted(dag.host().file(str(self.public)))


@dataclass(frozen=True)
class Program:
    """cosign as any consumer has it, outside of containers."""

    binary: Path

    def __call__(self, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run it without a login, a home and a terminal."""
        environment = {"PATH": os.environ["PATH"], "COSIGN_PASSWORD": PASSWORD, "HOME": "/nonexistent"}
        return subprocess.run(
            [self.binary, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def generate(self, directory: Path) -> KeyPair:
        """Make a pair of keys."""
        directory.mkdir()
        done = self("generate-key-pair", "--output-key-prefix", directory / "cosign")
        assert done.returncode == 0, done.stderr
        return KeyPair(directory / "cosign.key", directory / "cosign.pub")


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Another registry."""
    with running(tmp_path_factory.mktemp("production")) as host:
        yield host


@pytest.fixture(scope="session")
def cosign(tools: Path) -> Program:
    """The program."""
    return Program(tools / "cosign")


@pytest.fixture(scope="session")
def keys(cosign: Program, tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    """The keys of the release."""
    return cosign.generate(tmp_path_factory.mktemp("keys") / "own")


@pytest.fixture(scope="session")
def other_keys(cosign: Program, tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    """Somebody else's."""
    return cosign.generate(tmp_path_factory.mktemp("keys") / "other")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def workbench(engine: Session, tools: Path) -> AsyncIterator[Build]:
    """The base and the tools that signing takes."""
    settings = Settings(base=STAND_IN)
    yield Build(settings, await select_bases(settings, None), tools=dag.host().directory(str(tools)))


async def publish_signed(
    workbench: Build,
    registry: Registry,
    images: Sequence[Candidate],
    signer: Signer,
    attestations: Mapping[str, Sequence[Attestation]] | None = None,
    tags: Tags = TAGS,
) -> None:
    """Publish a release whose images are signed, with attestations of each by its name; ATTESTATIONS by default."""
    signing = await open_signing(workbench, registry, signer)
    if attestations is None:
        attestations = {image.name: ATTESTATIONS for image in images}
    await push_release(registry, tags, images, sign=partial(sign_images, signing, attestations=attestations))


def reference(registry: Registry, image: Candidate) -> Reference:
    """Return where an image is, by its digest."""
    return Reference(registry.address, image.name, digest=image.digest)


def digest_tag(digest: str, suffix: str) -> str:
    """Return the tag of what is signed of an image."""
    return f"{digest.replace(':', '-')}.{suffix}"


async def replay(registry: Registry, source: Reference, target: Reference, suffix: str) -> None:
    """Copy what was signed of an image, as it is, to where that of another one is looked for."""
    origin, to = registry.repository(source.name), registry.repository(target.name)
    manifest = await origin.manifest(digest_tag(source.digest, suffix))
    assert manifest
    for blob in manifest.blobs:
        assert await to.has(blob) or await to.mount(blob, origin)
    await to.push_manifest(digest_tag(target.digest, suffix), manifest)


def file(path: Path) -> dagger.File:
    """Return a file of this machine."""
    return dag.host().file(str(path))
