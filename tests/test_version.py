"""Versions and the names of bases: what each property says of each form."""

import pytest

from pipeline.build.base_reference import ANY_STAND_IN, BaseReference
from pipeline.build.version import Version

DIGEST = f"sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("text", "is_semantic", "is_prerelease", "is_final"),
    [
        ("1.2.3", True, False, True),
        ("1.2.3-rc.1", True, True, False),
        ("1.2", False, False, False),
        ("01.2.3", False, False, False),
        ("latest-1", False, False, False),
    ],
)
def test_a_version_is_final_or_a_prerelease_or_not_semantic(
    text: str, is_semantic: bool, is_prerelease: bool, is_final: bool
) -> None:
    version = Version(text)
    assert (version.is_semantic, version.is_prerelease, version.is_final) == (is_semantic, is_prerelease, is_final)


@pytest.mark.parametrize(
    ("text", "properties", "digest"),
    [
        (f"ubuntu:22.04@{DIGEST}", {"is_pinned"}, DIGEST),
        ("ubuntu:22.04", set(), ""),
        (ANY_STAND_IN, {"is_stand_in"}, ""),
        ("bootstrap:debian-12", {"is_stand_in"}, ""),
        (f"archive:base.tar@{DIGEST}", {"is_archive"}, ""),
    ],
)
def test_a_base_is_pinned_or_a_stand_in_or_an_archive(text: str, properties: set[str], digest: str) -> None:
    reference = BaseReference(text)
    assert {name for name in ("is_pinned", "is_stand_in", "is_archive") if getattr(reference, name)} == properties
    assert reference.digest == digest
