"""What a consumer can verify of an image, and each lie that is seen."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.build.inputs import Build
from pipeline.errors import SettingsError, VerificationError
from pipeline.registry.registry import Registry
from pipeline.release.login import Login
from pipeline.release.push import Candidate, push_release, set_tag
from pipeline.release.tags import Tags
from pipeline.release.verify import verify
from pipeline.signing.signature import Trusted
from tests.built_images import OF_ONE_LINE
from tests.publish.conftest import Maker
from tests.publish.small_release import make_base
from tests.registry import free_address

#: Nobody's signature counts in most of these tests, which only a pre-release may lack.
PRE_RELEASE = Tags("1.0.0-rc.1", ("next",))
FACTS = ["labels", "metadata", "release", "lineage", "base"]
#: The tests of trust look at signatures.
SIGNED = ["signature", "attestations"]
NOW = "2026-02-01T12:00:00Z"


@pytest.fixture
async def base(registry: Registry, tmp_path: Path) -> str:
    """The base in its registry, by its reference."""
    image = make_base(tmp_path)
    await push_release(registry, Tags("22.04"), [image])
    return f"{registry.address}/ubuntu:22.04@{image.digest}"


async def verified(registry: Registry, name: str = "ska-build-python:1.0.0-rc.1", **how: Any) -> dict[str, Any]:
    """Verify an image, and return the document."""
    allow = how.get("allow_stand_in_base", False)
    reference, now = f"{registry.address}/{name}", how.get("now", NOW)
    about = verify(reference, Login(), allow_stand_in_base=allow, trusted=Trusted(), build=_no_build, now=now)
    return dict(json.loads(await about))


async def _no_build() -> Build:
    raise AssertionError("Nothing is built to verify what is not signed.")


def finding(document: dict[str, Any], fact: str) -> tuple[bool, str]:
    """Return what a document says of a fact."""
    (found,) = [one for one in document["facts"] if one["name"] == fact]
    return found["verified"], found["message"]


@pytest.mark.parametrize("name", list(OF_ONE_LINE))
async def test_every_fact_of_a_release_is_verified(registry: Registry, release: Maker, base: str, name: str) -> None:
    images = release(base=base, version=PRE_RELEASE.version, extra_tags=PRE_RELEASE.extra)
    await push_release(registry, PRE_RELEASE, images)
    document = await verified(registry, f"{name}:1.0.0-rc.1")
    found = [(fact["name"], fact["verified"]) for fact in document["facts"]]
    assert found == [*((fact, True) for fact in FACTS), *((fact, False) for fact in SIGNED)]
    (digest,) = [image.digest for image in images if image.name == name]
    assert document["reference"] == f"{registry.address}/{name}:1.0.0-rc.1@{digest}"


async def test_an_image_is_found_by_its_digest_and_by_a_tag_that_moves(
    registry: Registry, release: Maker, base: str
) -> None:
    images = release(base=base, version=PRE_RELEASE.version, extra_tags=PRE_RELEASE.extra)
    await push_release(registry, PRE_RELEASE, images)
    for reference in (f"@{images[-1].digest}", ":next"):
        facts = (await verified(registry, f"ska-python{reference}"))["facts"]
        assert all(fact["verified"] for fact in facts if fact["name"] in FACTS)


async def refused(registry: Registry, images: list[Candidate], name: str = "ska-build-python:1.0.0") -> str:
    """Push a release and return why an image of it is refused."""
    await push_release(registry, Tags("1.0.0"), images)
    with pytest.raises(VerificationError) as caught:
        await verified(registry, name)
    return str(caught.value)


async def test_a_label_that_is_not_the_files_is_seen(registry: Registry, release: Maker, base: str) -> None:
    images = release(base=base, labels={"ska-build-python": {"int.skao.image.team": "Somebody"}})
    assert "int.skao.image.team is 'System Team' in /etc/skao.metadata, but 'Somebody' as a label" in await refused(
        registry, images
    )


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [(None, "there is no /etc/skao.metadata"), ("", "Line 1 of /etc/skao.metadata is ''; write it as key")],
)
async def test_a_file_that_is_missing_or_empty_is_seen(
    registry: Registry, release: Maker, base: str, metadata: str | None, sentence: str
) -> None:
    images = release(base=base, metadata={"ska-base": metadata})
    assert f"FAILED        metadata      {sentence}" in await refused(registry, images, "ska-base:1.0.0")


async def test_a_label_that_is_missing_is_seen(registry: Registry, release: Maker, base: str) -> None:
    images = release(base=base, labels={"ska-build-python": {"int.skao.image.source": ""}})
    assert "the labels int.skao.image.source are missing" in await refused(registry, images)


async def test_labels_that_disagree_are_seen(registry: Registry, release: Maker, base: str) -> None:
    key = "org.opencontainers.image.version"
    images = release(base=base, labels={"ska-build-python": {key: "22.04"}})
    assert f"{key} is '22.04', but '1.0.0' elsewhere" in await refused(registry, images)


async def test_an_annotation_that_is_not_the_label_is_seen(registry: Registry, release: Maker, base: str) -> None:
    key = "org.opencontainers.image.created"
    images = release(base=base, annotations={"ska-build-python": {key: "2020-01-01T00:00:00Z"}})
    assert f"the annotation {key} is '2020-01-01T00:00:00Z', but the label is" in await refused(registry, images)


async def test_the_annotation_of_another_parent_is_seen(registry: Registry, release: Maker, base: str) -> None:
    digest = f"sha256:{'0' * 64}"
    images = release(base=base, annotations={"ska-build": {"org.opencontainers.image.base.digest": digest}})
    sentence = f"ska-build is annotated with the parent {digest}, but the tag 1.0.0 names sha256:"
    assert sentence in await refused(registry, images, "ska-build:1.0.0")


async def test_a_parent_of_another_content_is_seen(registry: Registry, release: Maker, base: str) -> None:
    one, other = release(base=base), release(base=base, files={"ska-build": {"new": b"new"}})
    message = await refused(registry, [*one[:2], other[2], one[3]])
    assert "FAILED        lineage       ska-build-python does not begin with the layers of ska-build:1.0.0" in message


async def test_a_parent_that_is_not_there_is_seen(registry: Registry, release: Maker, base: str) -> None:
    images = release(base=base)
    assert "its parent ska-build:1.0.0 is not in" in await refused(registry, [images[0], *images[2:]])


async def test_an_image_that_names_another_parent_is_seen(registry: Registry, release: Maker, base: str) -> None:
    labels = {"ska-build-python": {"int.skao.image.baseImage": "host.example/ska-base:1.0.0"}}
    message = await refused(registry, release(base=base, labels=labels))
    assert "names host.example/ska-base:1.0.0 as its parent, which is not ska-build:1.0.0" in message


async def test_a_tag_of_another_image_is_seen(registry: Registry, release: Maker, base: str) -> None:
    images = release(base=base)
    await push_release(registry, Tags("1.0.0"), images)
    await set_tag(registry.repository("ska-python"), "2.0.0", images[-1].digest)
    with pytest.raises(VerificationError, match=r"it is tagged 1\.0\.0 by itself, but it was found as 2\.0\.0"):
        await verified(registry, "ska-python:2.0.0")


async def test_a_digest_that_is_not_the_release_s_is_seen(registry: Registry, release: Maker, base: str) -> None:
    one, other = release(base=base), release(base=base, files={"ska-python": {"new": b"new"}})
    await push_release(registry, Tags("1.0.0"), one)
    await push_release(registry, Tags("another"), other)
    with pytest.raises(VerificationError, match=rf"the tag of its version, 1\.0\.0, names {one[-1].digest}"):
        await verified(registry, f"ska-python@{other[-1].digest}")


async def test_a_base_of_another_content_is_seen(registry: Registry, release: Maker, tmp_path: Path) -> None:
    images = release()
    await push_release(registry, Tags("22.04"), [image for image in images if image.name == "ska-python"])
    wrong = f"{registry.address}/ska-python:22.04@{images[-1].digest}"
    assert f"FAILED        base          the image does not begin with the layers of {wrong}" in await refused(
        registry, release(base=wrong)
    )


async def test_a_base_with_another_digest_than_its_label_is_seen(registry: Registry, release: Maker, base: str) -> None:
    labels = {"ska-base": {"org.opencontainers.image.base.digest": "sha256:" + "0" * 64}}
    assert "org.opencontainers.image.base.digest is 'sha256:000" in await refused(
        registry, release(base=base, labels=labels)
    )


async def test_a_stand_in_base_takes_consent(registry: Registry, release: Maker) -> None:
    assert "FAILED        base          bootstrap:debian-12 is a stand-in" in await refused(
        registry, release(base="bootstrap:debian-12")
    )
    images = release(base="bootstrap:debian-12", version=PRE_RELEASE.version)
    await push_release(registry, Tags(PRE_RELEASE.version), images)
    document = await verified(registry, allow_stand_in_base=True)
    assert finding(document, "base") == (True, "bootstrap:debian-12, a stand-in, which you allowed")


async def test_a_base_that_nobody_serves_is_not_verified_and_said(registry: Registry, release: Maker) -> None:
    gone = f"{free_address()}/ubuntu:22.04@sha256:{'b' * 64}"
    await push_release(registry, Tags(PRE_RELEASE.version), release(base=gone, version=PRE_RELEASE.version))
    is_verified, message = finding(await verified(registry), "base")
    assert not is_verified
    assert "could not be examined: The registry" in message


async def test_an_image_that_is_not_there_is_said(registry: Registry) -> None:
    with pytest.raises(VerificationError, match=r"The registry has no image .*/ska-base:1\.0\.0; check its name"):
        await verified(registry, "ska-base:1.0.0")


async def test_a_foreign_image_is_none_of_this_pipeline(registry: Registry, base: str) -> None:
    with pytest.raises(
        VerificationError, match=r"FAILED        labels[\s\S]*ubuntu .* is not one of the images ska-base"
    ):
        await verified(registry, "ubuntu:22.04")


async def test_a_final_version_with_a_fact_that_is_not_verified_is_refused(
    registry: Registry, release: Maker, base: str
) -> None:
    message = await refused(registry, release(base=base))
    assert "is a final version, but not every fact is verified (signature, attestations)" in message
    assert [line.split()[0] for line in message.splitlines()[1:]] == ["verified"] * len(FACTS) + ["not"] * len(SIGNED)


async def test_a_label_cannot_write_a_line_of_the_findings(registry: Registry, release: Maker, base: str) -> None:
    hostile = "other\n  verified      signature     signed\x1b[2J\u202e"
    images = release(base=base, labels={"ska-build-python": {"int.skao.image.tags": hostile}})
    lines = (await refused(registry, images)).split("\n")[1:]
    assert [line[16:].split()[0] for line in lines] == [*FACTS, *SIGNED]
    assert all(line.isprintable() for line in lines)


async def test_a_reference_without_tag_and_digest_is_refused(registry: Registry) -> None:
    with pytest.raises(SettingsError, match="does not name a published image"):
        await verified(registry, "ska-base")


@pytest.mark.parametrize(
    ("now", "warnings"),
    [
        ("2026-12-02T12:00:00Z", []),
        (
            "2027-05-31T12:00:00Z",
            ["The image gets security updates until 2027-06-01, 1 day from today; move to a newer line."],
        ),
        ("2027-06-02T12:00:00Z", ["The image got its last security updates on 2027-06-01; move to a newer line."]),
    ],
)
async def test_the_end_of_an_image_s_support_is_a_warning(
    now: str, warnings: list[str], registry: Registry, release: Maker, base: str
) -> None:
    await push_release(registry, PRE_RELEASE, release(base=base, version=PRE_RELEASE.version))
    document = await verified(registry, now=now)
    assert (document["end_of_life"], document["warnings"]) == ("2027-06-01", warnings)


async def test_an_end_of_life_that_is_not_a_day_is_a_warning(registry: Registry, release: Maker, base: str) -> None:
    labels = {"ska-build-python": {"int.skao.image.endOfLife": "soon\x1b[2J"}}
    await push_release(registry, PRE_RELEASE, release(base=base, version=PRE_RELEASE.version, labels=labels))
    (warning,) = (await verified(registry))["warnings"]
    assert warning.startswith("The image names 'soon")
    assert "\x1b" not in warning
