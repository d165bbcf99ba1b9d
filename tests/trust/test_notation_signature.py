"""What a consumer's trust policy does not vouch for is refused, on a real registry, with the real notation."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import anyio
import pytest

from pipeline.build.inputs import Build
from pipeline.errors import SettingsError, VerificationError
from pipeline.registry.registry import Registry
from pipeline.release.login import Login
from pipeline.release.push import Candidate, push_release
from pipeline.release.tags import Tags
from pipeline.release.verify import verify
from pipeline.signing.notation import REPOSITORY
from pipeline.signing.signature import Trusted
from pipeline.signing.trust_store import NotationTrust, parse_notation_trust
from tests.publish.conftest import Maker
from tests.publish.test_verify import NOW
from tests.registry import host_service
from tests.trust.authority import Authority, Issued, Stamps, file, listing
from tests.trust.notary import Notary, copy_signatures, publish_with_notation
from tests.trust.signing import KeyPair, reference

VERSION = "1.0.0-rc.1"
RC = Tags(VERSION)
STAND_IN = "bootstrap:debian-12"


@pytest.fixture
def images(release: Maker) -> list[Candidate]:
    """A pre-release that is not published yet; some of its facts may stay unknown."""
    return release(base=STAND_IN, version=VERSION)


async def signature(
    workbench: Build,
    registry: Registry,
    notation: NotationTrust,
    trusted: Trusted | None = None,
    name: str = f"ska-base:{VERSION}",
    required: Sequence[str] = (),
) -> str:
    """Verify an image, and return what was found of its signature; why it was refused where it was."""

    async def build() -> Build:
        return workbench

    try:
        document = json.loads(
            await verify(
                f"{registry.address}/{name}",
                Login(),
                allow_stand_in_base=True,
                trusted=trusted or Trusted(),
                build=build,
                now=NOW,
                notation=notation,
                required=required,
            )
        )
    except VerificationError as error:
        (line,) = [line.strip() for line in str(error).splitlines() if " signature " in line[:30]]
        return line
    (fact,) = [fact for fact in document["facts"] if fact["name"] == "signature"]
    return f"{'verified' if fact['verified'] else 'not verified'}: {fact['message']}"


async def test_what_is_signed_is_verified(
    workbench: Build, registry: Registry, images: list[Candidate], authority: Authority, releases: Issued
) -> None:
    await publish_with_notation(workbench, registry, images[:1], releases.signer, tags=RC)
    found = await signature(workbench, registry, authority.trust(releases))
    assert found == f"verified: signed as {registry.address}/ska-base with notation, by {releases.identity}"
    anybody = NotationTrust(file(authority.root.certificate), "*")
    assert (await signature(workbench, registry, anybody)).endswith("by any certificate of the CA")


async def test_an_image_needs_a_signature_of_each_kind_that_is_asked_for(
    workbench: Build,
    registry: Registry,
    images: list[Candidate],
    authority: Authority,
    releases: Issued,
    keys: KeyPair,
) -> None:
    await publish_with_notation(workbench, registry, images[:1], releases.signer, tags=RC)
    trust = authority.trust(releases)
    assert "FAILED        signature     cosign verify: no signatures found" in await signature(
        workbench, registry, trust, keys.trusted
    )
    await publish_with_notation(workbench, registry, images[:1], releases.signer, keys.signer, tags=RC)
    name = f"{registry.address}/ska-base"
    assert await signature(workbench, registry, trust, keys.trusted) == (
        f"verified: signed as {name}; signed as {name} with notation, by {releases.identity}"
    )


async def test_a_kind_that_is_required_and_not_asked_for_is_not_verified(
    workbench: Build, registry: Registry, images: list[Candidate], authority: Authority, releases: Issued
) -> None:
    await publish_with_notation(workbench, registry, images[:1], releases.signer, tags=RC)
    found = await signature(workbench, registry, authority.trust(releases), required=["cosign", "notation"])
    assert found == (
        "not verified: a signature of cosign is required, and nobody was named; give --key, or --identity and --issuer"
    )


async def refused(workbench: Build, registry: Registry, trust: NotationTrust, name: str = f"ska-base:{VERSION}") -> str:
    """Return why an image's signature is refused."""
    found = await signature(workbench, registry, trust, name=name)
    start = "FAILED        signature     notation verify: "
    assert found.startswith(start), found
    return found.removeprefix(start)


async def test_what_is_not_signed_is_refused(
    workbench: Build, registry: Registry, images: list[Candidate], authority: Authority, releases: Issued
) -> None:
    await push_release(registry, RC, images[:1])
    message = await refused(workbench, registry, authority.trust(releases))
    assert "no signature is associated with" in message


async def test_a_certificate_that_signed_itself_is_refused(
    workbench: Build, registry: Registry, images: list[Candidate], authority: Authority, releases: Issued
) -> None:
    await publish_with_notation(workbench, registry, images[:1], authority.own("Releases").signer, tags=RC)
    message = await refused(workbench, registry, authority.trust(releases))
    assert "certificate chain does not contain any trusted certificate" in message


async def test_a_signature_is_refused_once_its_root_is_not_trusted_any_more(
    workbench: Build, registry: Registry, images: list[Candidate], releases: Issued, tmp_path: Path
) -> None:
    await publish_with_notation(workbench, registry, images[:1], releases.signer, tags=RC)
    other = Authority(tmp_path / "other", "Observatory")
    message = await refused(workbench, registry, other.trust(releases))
    assert "certificate chain does not contain any trusted certificate" in message


async def test_another_identity_of_the_same_authority_is_refused(
    workbench: Build, registry: Registry, images: list[Candidate], authority: Authority, releases: Issued
) -> None:
    await publish_with_notation(workbench, registry, images[:1], authority.issue("Somebody").signer, tags=RC)
    message = await refused(workbench, registry, authority.trust(releases))
    assert "do not match" in message or "trusted identities" in message, message


async def test_a_certificate_that_has_expired_is_refused_unless_its_time_was_stamped(
    workbench: Build,
    registry: Registry,
    images: list[Candidate],
    authority: Authority,
    stamps: Stamps,
    notation: Notary,
) -> None:
    await push_release(registry, RC, images[:2])
    end = datetime.now(timezone.utc) + timedelta(seconds=5)
    issued = authority.issue_for_a_job("Job", end)
    for image, stamp in zip(
        images, ((), ("--timestamp-url", stamps.address, "--timestamp-root-cert", stamps.root)), strict=False
    ):
        metadata = f"{REPOSITORY}={registry.address}/{image.name}"
        done = notation.sign(issued, *stamp, "--user-metadata", metadata, str(reference(registry, image)))
        assert done.returncode == 0, done.stderr
    await anyio.sleep(max(0, (end - datetime.now(timezone.utc)).total_seconds()) + 1)
    assert "it was expired at" in await refused(workbench, registry, authority.trust(issued))
    stamped = f"{images[1].name}:{VERSION}"
    found = await signature(workbench, registry, authority.trust(issued, stamps), name=stamped)
    assert found.startswith("verified: "), found


async def test_a_signature_without_a_time_stamp_is_refused_where_one_is_asked_for(
    workbench: Build,
    registry: Registry,
    images: list[Candidate],
    authority: Authority,
    releases: Issued,
    stamps: Stamps,
) -> None:
    await publish_with_notation(workbench, registry, images[:1], releases.signer, tags=RC)
    message = await refused(workbench, registry, authority.trust(releases, stamps))
    assert "no timestamp countersignature was found in the signature envelope" in message


async def test_a_certificate_that_was_revoked_is_refused(
    workbench: Build, registry: Registry, images: list[Candidate], tmp_path: Path
) -> None:
    address = host_service()
    authority = Authority(tmp_path / "revoking", "Revoking", address)
    issued = authority.issue("Releases", "revocable")
    lists = {"/list.crl": authority.revoke()}
    with listing(lists, address):
        await publish_with_notation(workbench, registry, images[:1], issued.signer, tags=RC)
        found = await signature(workbench, registry, authority.trust(issued))
        assert found.startswith("verified: "), found
        lists["/list.crl"] = authority.revoke(issued)
        assert "is revoked" in await refused(workbench, registry, authority.trust(issued))


async def test_what_was_signed_under_another_name_is_refused(
    workbench: Build,
    registry: Registry,
    images: list[Candidate],
    authority: Authority,
    releases: Issued,
    notation: Notary,
) -> None:
    base = images[0]
    await publish_with_notation(workbench, registry, images[:1], releases.signer, tags=RC)
    elsewhere = Candidate("ska-python", None, base.digest, base.content)
    await push_release(registry, RC, [elsewhere])
    await copy_signatures(registry, base, elsewhere)
    identity = f"x509.subject: {releases.identity}"
    done = notation.verify(authority.root.certificate, identity, str(reference(registry, elsewhere)))
    assert done.returncode == 0, done.stderr
    message = await refused(workbench, registry, authority.trust(releases), f"ska-python:{VERSION}")
    assert "metadata" in message, message


async def test_what_was_signed_of_another_digest_is_refused(
    workbench: Build,
    registry: Registry,
    images: list[Candidate],
    release: Maker,
    authority: Authority,
    releases: Issued,
) -> None:
    await publish_with_notation(workbench, registry, images[:1], releases.signer, tags=RC)
    changed = release(base=STAND_IN, version="1.0.0-rc.2", files={"ska-base": {"usr/bin/login": b"new"}})[0]
    await push_release(registry, Tags("1.0.0-rc.2"), [changed])
    await copy_signatures(registry, images[0], changed)
    message = await refused(workbench, registry, authority.trust(releases), "ska-base:1.0.0-rc.2")
    assert message


async def test_half_of_what_is_trusted_is_refused(workbench: Build, authority: Authority) -> None:
    root = file(authority.root.certificate)
    for given, sentence in (
        (NotationTrust(root), "give both --notation-root FILE and --notation-identity SUBJECT"),
        (NotationTrust(None, "*"), "give both --notation-root FILE and --notation-identity SUBJECT"),
        (NotationTrust(None, "", root), "--timestamp-root belongs to --notation-root"),
        (NotationTrust(root, "CN=Releases"), "is not the subject of a certificate with a country, a state"),
        (NotationTrust(root, "Releases"), "is not the subject of a certificate with a country, a state"),
    ):
        with pytest.raises(SettingsError, match=sentence):
            parse_notation_trust(given)
    assert parse_notation_trust(NotationTrust()) is None
