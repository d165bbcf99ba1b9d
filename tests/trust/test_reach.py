"""cosign and notation reach a registry as the pipeline's own client does: with its login, and by its CA."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.build.inputs import Build
from pipeline.errors import SigningError, VerificationError
from pipeline.registry.access import Access
from pipeline.registry.address import parse_address
from pipeline.registry.registry import open_registry
from pipeline.release.push import push_release
from pipeline.signing.notation_signature import open_notation_witness
from pipeline.signing.sign import open_signing
from pipeline.signing.signature import open_witness
from tests.publish.certificates import Signed, sign
from tests.publish.conftest import Maker
from tests.publish.test_login import HTPASSWD, LOGIN, WRONG, tls
from tests.registry import running
from tests.trust.authority import Authority, Issued
from tests.trust.notary import publish_with_notation
from tests.trust.signing import TAGS, KeyPair, publish_signed, reference


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    """A certificate of a private CA."""
    return sign(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def guarded(signed: Signed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry with TLS that requires a login."""
    directory = tmp_path_factory.mktemp("guarded")
    (directory / "htpasswd").write_text(HTPASSWD)
    auth = f"auth: {{htpasswd: {{realm: test, path: {directory}/htpasswd}}}}\n"
    with running(directory, auth, tls(signed)) as host:
        yield f"{host}/ska"


@pytest.fixture(scope="module")
def bundle(signed: Signed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificates that are trusted."""
    path = tmp_path_factory.mktemp("bundle") / "bundle.pem"
    path.write_bytes(signed.ca.read_bytes())
    return path


async def test_with_a_login_and_a_private_ca_an_image_is_signed_and_verified(
    workbench: Build, guarded: str, bundle: Path, release: Maker, keys: KeyPair
) -> None:
    (image, *_) = release()
    async with open_registry(parse_address(guarded), replace(LOGIN, ca=bundle)) as registry:
        await publish_signed(workbench, registry, [image], keys.signer)
        witness = await open_witness(workbench, registry, keys.trusted)
        assert await witness.signature(reference(registry, image)) == f"signed as {guarded}/ska-base"


async def test_notation_has_the_login_and_the_private_ca_too(
    workbench: Build, guarded: str, bundle: Path, release: Maker, authority: Authority, releases: Issued
) -> None:
    (image, *_) = release()
    async with open_registry(parse_address(guarded), replace(LOGIN, ca=bundle)) as registry:
        await publish_with_notation(workbench, registry, [image], releases.signer)
        witness = await open_notation_witness(workbench, registry, authority.trust(releases))
        assert (await witness.signature(reference(registry, image))).startswith(f"signed as {guarded}/ska-base")
    async with open_registry(parse_address(guarded), replace(WRONG, ca=bundle)) as registry:
        witness = await open_notation_witness(workbench, registry, authority.trust(releases))
        with pytest.raises(VerificationError, match="401"):
            await witness.signature(reference(registry, image))


async def signing_fails(workbench: Build, guarded: str, access: Access, release: Maker, keys: KeyPair) -> str:
    """Sign an image that is there, and return why that fails."""
    (image, *_) = release()
    address = parse_address(guarded)
    async with open_registry(address, access) as registry:
        signing = await open_signing(workbench, registry, keys.signer)
        with pytest.raises(SigningError) as caught:
            await signing.sign(reference(registry, image), ())
        return str(caught.value)


async def test_a_wrong_login_is_said(
    workbench: Build, guarded: str, bundle: Path, release: Maker, keys: KeyPair
) -> None:
    async with open_registry(parse_address(guarded), replace(LOGIN, ca=bundle)) as registry:
        await push_release(registry, TAGS, release()[:1])
    message = await signing_fails(workbench, guarded, replace(WRONG, ca=bundle), release, keys)
    assert "UNAUTHORIZED" in message


async def test_a_certificate_of_an_unknown_ca_is_not_trusted(
    workbench: Build, guarded: str, release: Maker, keys: KeyPair
) -> None:
    message = await signing_fails(workbench, guarded, LOGIN, release, keys)
    assert "certificate signed by unknown authority" in message
