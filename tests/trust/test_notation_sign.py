"""What is published is signed with notation, and notation's own commands verify it."""

import json
from dataclasses import replace

import pytest
from dagger import dag

from pipeline.build.inputs import Build
from pipeline.errors import SettingsError, SigningError
from pipeline.registry.registry import Registry
from pipeline.release.push import Candidate
from pipeline.signing.notation import REPOSITORY
from pipeline.signing.notation_signer import NotationSigner, parse_notation_signer
from tests.publish.conftest import Maker, digests
from tests.trust.authority import Authority, Issued, Stamps, file
from tests.trust.notary import Notary, publish_with_notation
from tests.trust.signing import reference


@pytest.fixture
def images(release: Maker) -> list[Candidate]:
    """A release, not yet published."""
    return release()


async def test_notation_verifies_every_image_under_its_name(
    workbench: Build,
    registry: Registry,
    images: list[Candidate],
    authority: Authority,
    releases: Issued,
    notation: Notary,
) -> None:
    await publish_with_notation(workbench, registry, images, releases.signer)
    for image in images:
        metadata = f"{REPOSITORY}={registry.address}/{image.name}"
        target = str(reference(registry, image))
        identity = f"x509.subject: {releases.identity}"
        done = notation.verify(authority.root.certificate, identity, "--user-metadata", metadata, target)
        assert done.returncode == 0, done.stderr


async def test_signing_again_leaves_one_signature(
    workbench: Build, registry: Registry, images: list[Candidate], releases: Issued
) -> None:
    for _ in range(2):
        await publish_with_notation(workbench, registry, images[:1], releases.signer)
    found = await registry.repository(images[0].name).referrers(images[0].digest)
    assert [each.artifact_type for each in found] == ["application/vnd.cncf.notary.signature"]


async def test_a_signature_has_the_time_stamp_of_the_authority(
    workbench: Build,
    registry: Registry,
    images: list[Candidate],
    releases: Issued,
    stamps: Stamps,
    notation: Notary,
) -> None:
    signer = replace(releases.signer, timestamp_authority=stamps.address, timestamp_root=file(stamps.root))
    await publish_with_notation(workbench, registry, images[:1], signer)
    shown = notation("inspect", "--insecure-registry", "--output", "json", str(reference(registry, images[0])))
    (signature,) = json.loads(shown.stdout)["Signatures"]
    assert signature["mediaType"] == "application/jose+json"
    stamp = signature["unsignedAttributes"]["timestampSignature"]
    assert "CN=stamper" in stamp["certificates"][0]["issuedTo"]


async def refused(workbench: Build, registry: Registry, images: list[Candidate], signer: NotationSigner) -> str:
    """Publish, and return why that is refused; nothing is pushed then."""
    with pytest.raises((SigningError, SettingsError)) as caught:
        await publish_with_notation(workbench, registry, images[:1], signer)
    assert await registry.repository(images[0].name).tags() == frozenset()
    assert await digests(registry, "1.0.0") == {}
    assert caught.value.exit_code == 2
    return str(caught.value)


async def test_a_chain_without_its_root_is_refused_before_anything_is_pushed(
    workbench: Build, registry: Registry, images: list[Candidate], releases: Issued
) -> None:
    message = await refused(workbench, registry, images, replace(releases.signer, chain=file(releases.certificate)))
    assert "The key of notation cannot be used (certificate-chain is invalid" in message
    assert "the key's own certificate first, the self-signed root last" in message


async def test_the_chain_of_another_key_is_refused_before_anything_is_pushed(
    workbench: Build, registry: Registry, images: list[Candidate], authority: Authority, releases: Issued
) -> None:
    signer = replace(releases.signer, chain=file(authority.issue("Another").chain))
    assert "(tls: private key does not match public key)" in await refused(workbench, registry, images, signer)


async def test_a_time_stamp_authority_that_does_not_answer_is_refused_before_anything_is_pushed(
    workbench: Build, registry: Registry, images: list[Candidate], releases: Issued, stamps: Stamps
) -> None:
    signer = replace(releases.signer, timestamp_authority="http://127.0.0.1:9", timestamp_root=file(stamps.root))
    assert 'timestamp: Post "http://127.0.0.1:9"' in await refused(workbench, registry, images, signer)


async def test_a_time_stamp_of_another_authority_is_refused_before_anything_is_pushed(
    workbench: Build,
    registry: Registry,
    images: list[Candidate],
    authority: Authority,
    releases: Issued,
    stamps: Stamps,
) -> None:
    root = file(authority.root.certificate)
    signer = replace(releases.signer, timestamp_authority=stamps.address, timestamp_root=root)
    assert "certificate signed by unknown authority" in await refused(workbench, registry, images, signer)


async def test_a_private_key_among_the_certificates_is_refused_and_not_shown(
    workbench: Build, registry: Registry, images: list[Candidate], releases: Issued
) -> None:
    message = await refused(workbench, registry, images, replace(releases.signer, chain=file(releases.key)))
    assert message.startswith("The file of --notation-chain holds a private key; give certificates alone")


async def test_an_option_without_the_one_it_belongs_to_is_refused(workbench: Build, releases: Issued) -> None:
    signer, other = releases.signer, file(releases.certificate)
    for given, sentence in (
        (replace(signer, chain=None), "give --notation-chain FILE with the key's own certificate first and the root"),
        (NotationSigner(chain=other), "--notation-chain belongs to --notation-key"),
        (NotationSigner(timestamp_authority="http://a"), "--timestamp-authority belongs to --notation-key"),
        (replace(signer, timestamp_root=other), "give both --timestamp-authority URL and --timestamp-root FILE"),
        (replace(signer, timestamp_authority="http://a"), "give both --timestamp-authority URL and --timestamp-root"),
        (
            replace(signer, timestamp_authority="ftp://u:p@a", timestamp_root=other),
            "is not an address without a login; write http",
        ),
    ):
        with pytest.raises(SettingsError, match=sentence):
            parse_notation_signer(given)


def test_nobody_signs_with_notation_unless_asked() -> None:
    assert parse_notation_signer(NotationSigner()) is None


async def test_a_file_without_certificates_is_refused(workbench: Build, releases: Issued) -> None:
    empty = dag.directory().with_new_file("chain.pem", "no certificate").file("chain.pem")
    with pytest.raises(SettingsError, match="of --notation-chain does not hold 1 to 20 certificates"):
        await replace(releases.signer, chain=empty).certificates()
