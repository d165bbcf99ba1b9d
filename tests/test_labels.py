"""An image's labels: its own, never its parent's."""

import pytest

from pipeline.build.inputs import Build
from pipeline.build.labelling import OCI, labels_of, metadata_of
from pipeline.build.settings import Settings
from pipeline.catalogue.lookup import find
from pipeline.errors import SettingsError
from tests.built_images import build_on

DIGEST = "sha256:" + "a" * 64
PINNED = f"ubuntu:22.04@{DIGEST}"


def build(reference: str = PINNED, **given: object) -> Build:
    settings = Settings(version="1.2.3", registry="registry.example.org", **given)
    return build_on(settings, reference)


@pytest.mark.parametrize("reference", [PINNED, "bootstrap:debian-12", f"archive:base.tar@{DIGEST}"])
def test_the_first_image_is_built_from_the_base(reference: str) -> None:
    assert metadata_of(find("ska-base"), build(reference)).baseImage == reference


def test_another_image_is_built_from_its_parent() -> None:
    assert metadata_of(find("ska-build-python"), build()).baseImage == "registry.example.org/ska-build:1.2.3"


def test_the_base_s_digest_is_the_first_image_s() -> None:
    labels = labels_of(find("ska-base"), build())
    assert (labels[OCI + "base.name"], labels[OCI + "base.digest"]) == ("ubuntu:22.04", DIGEST)


@pytest.mark.parametrize(
    ("image", "reference"),
    [("ska-python", PINNED), ("ska-base", "bootstrap:debian-12"), ("ska-base", f"archive:base.tar@{DIGEST}")],
)
def test_a_digest_that_is_not_known_is_not_claimed(image: str, reference: str) -> None:
    assert OCI + "base.digest" not in labels_of(find(image), build(reference))


def test_the_labels_of_oci_are_the_image_s_own() -> None:
    labels = labels_of(find("ska-python"), build())
    assert (labels[OCI + "version"], labels[OCI + "title"]) == ("1.2.3", "SKA runtime image for Python")


def test_further_labels_are_added() -> None:
    assert labels_of(find("ska-base"), build(label=["CI_JOB_ID=7"]))["CI_JOB_ID"] == "7"


def test_a_further_label_may_say_what_the_build_does_not_know() -> None:
    label = f"{OCI}authors=a team"
    assert labels_of(find("ska-base"), build(label=[label]))[OCI + "authors"] == "a team"


def test_the_end_of_life_is_the_line_s() -> None:
    assert labels_of(find("ska-python"), build())["int.skao.image.endOfLife"] == "2027-06-01"


def test_the_end_of_life_is_not_the_user_s() -> None:
    with pytest.raises(SettingsError, match=r"endOfLife' is written by the build itself"):
        build(label=["int.skao.image.endOfLife=2099-01-01"])
