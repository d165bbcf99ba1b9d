"""What cosign 3 writes on its own, bundles, is verified as the older form is."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.build.inputs import Build
from pipeline.registry.registry import Registry
from pipeline.release.push import Candidate, push_release
from pipeline.signing.attestation import Attestation
from tests.publish.conftest import Maker
from tests.trust.attested import complete
from tests.trust.notary import copy_signatures
from tests.trust.signing import TAGS, KeyPair, Program, publish_signed, reference
from tests.trust.test_signature import STAND_IN, findings, refused


@pytest.fixture
def images(release: Maker) -> list[Candidate]:
    """A release, not yet published."""
    return release(base=STAND_IN)


@pytest.fixture
def config(cosign: Program, tmp_path: Path) -> Path:
    """A configuration without a log: the default of cosign 3 would reach for the public one."""
    path = tmp_path / "signing-config.json"
    assert cosign("signing-config", "create", "--out", path).returncode == 0
    return path


def sign(
    cosign: Program, keys: KeyPair, config: Path, target: str, attestations: Sequence[Attestation], directory: Path
) -> None:
    """Sign an image and attest to it as a user of cosign 3 does."""
    by = ("--yes", "--key", keys.private, "--signing-config", config)
    done = cosign("sign", *by, target)
    assert done.returncode == 0, done.stderr
    for attestation in attestations:
        (predicate := directory / "predicate.json").write_bytes(attestation.predicate)
        done = cosign("attest", *by, "--type", attestation.type, "--predicate", predicate, target)
        assert done.returncode == 0, done.stderr


async def test_a_release_in_the_newer_form_is_verified(
    workbench: Build,
    registry: Registry,
    images: list[Candidate],
    keys: KeyPair,
    cosign: Program,
    config: Path,
    tmp_path: Path,
) -> None:
    base = images[0]
    await push_release(registry, TAGS, [base])
    attestations = complete([base], registry.address, base=STAND_IN)[base.name]
    sign(cosign, keys, config, str(reference(registry, base)), attestations, tmp_path)
    found = await findings(workbench, registry, keys.trusted)
    assert found["signature"] == (True, f"signed as {registry.address}/ska-base, in cosign's newer form")
    assert found["attestations"][0]


async def test_both_forms_of_a_release_are_read_as_one(
    workbench: Build,
    registry: Registry,
    images: list[Candidate],
    keys: KeyPair,
    cosign: Program,
    config: Path,
    tmp_path: Path,
) -> None:
    attestations = complete(images[:1], registry.address, base=STAND_IN)
    await publish_signed(workbench, registry, images[:1], keys.signer, attestations)
    sign(cosign, keys, config, str(reference(registry, images[0])), attestations["ska-base"], tmp_path)
    assert [holds for holds, _ in (await findings(workbench, registry, keys.trusted)).values()] == [True, True]


async def test_a_result_that_failed_counts_in_either_form(
    workbench: Build,
    registry: Registry,
    images: list[Candidate],
    keys: KeyPair,
    cosign: Program,
    config: Path,
    tmp_path: Path,
) -> None:
    good = complete(images[:1], registry.address, base=STAND_IN)
    await publish_signed(workbench, registry, images[:1], keys.signer, good)
    bad = complete(images[:1], registry.address, base=STAND_IN, is_right=False)["ska-base"]
    sign(cosign, keys, config, str(reference(registry, images[0])), bad, tmp_path)
    assert "FAILED        attestations  its test result is not valid" in await refused(
        workbench, registry, keys.trusted
    )


async def test_a_signature_in_the_newer_form_that_names_no_repository_is_refused(
    workbench: Build,
    registry: Registry,
    images: list[Candidate],
    keys: KeyPair,
    cosign: Program,
    config: Path,
    tmp_path: Path,
) -> None:
    await push_release(registry, TAGS, images[:1])
    sign(cosign, keys, config, str(reference(registry, images[0])), (), tmp_path)
    assert "names no repository, and neither does an attestation beside it" in await refused(
        workbench, registry, keys.trusted
    )


async def test_what_somebody_else_signed_in_the_newer_form_is_refused(
    workbench: Build,
    registry: Registry,
    images: list[Candidate],
    keys: KeyPair,
    other_keys: KeyPair,
    cosign: Program,
    config: Path,
    tmp_path: Path,
) -> None:
    await push_release(registry, TAGS, images[:1])
    attestations = complete(images[:1], registry.address, base=STAND_IN)["ska-base"]
    sign(cosign, other_keys, config, str(reference(registry, images[0])), attestations, tmp_path)
    assert "FAILED        signature     cosign verify-attestation: no matching" in await refused(
        workbench, registry, keys.trusted
    )


async def test_what_was_signed_in_the_newer_form_under_another_name_is_refused(
    workbench: Build,
    registry: Registry,
    images: list[Candidate],
    keys: KeyPair,
    cosign: Program,
    config: Path,
    tmp_path: Path,
) -> None:
    base = images[0]
    await push_release(registry, TAGS, [base])
    attestations = complete([base], registry.address, base=STAND_IN)[base.name]
    sign(cosign, keys, config, str(reference(registry, base)), attestations, tmp_path)
    elsewhere = Candidate("ska-python", None, base.digest, base.content)
    await push_release(registry, TAGS, [elsewhere])
    await copy_signatures(registry, base, elsewhere)
    message = await refused(workbench, registry, keys.trusted, "ska-python:1.0.0")
    assert f"and not about {registry.address}/ska-python alone" in message
