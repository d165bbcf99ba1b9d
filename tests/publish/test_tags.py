"""Versions and the tags beside them: what is taken, and what is refused in one sentence."""

import pytest

from pipeline.build.settings import Settings
from pipeline.errors import SettingsError
from pipeline.release.tags import Tags, newest, parse_extra_tags, parse_version

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def extra(*tags: str, version: str = "1.2.3", revision: str = COMMIT) -> tuple[str, ...]:
    settings = Settings(version=version, created="2026-01-31T12:00:00Z", revision=revision)
    return parse_extra_tags(tags, settings)


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("1.2.3", "1.2.3"),
        ("v1.2.3", "1.2.3"),
        ("1.2.3-rc.1", "1.2.3-rc.1"),
        ("0.1.0-dev.c0123abcd", "0.1.0-dev.c0123abcd"),
    ],
)
def test_a_tag_is_a_semantic_version_without_its_v(tag: str, version: str) -> None:
    assert parse_version(tag) == version


@pytest.mark.parametrize("tag", ["latest", "1.2", "", "vv1.2.3", "1.2.3+build", "1.2.3\n", "01.2.3", "1.2.3/x", "../x"])
def test_what_is_no_version_is_refused_with_the_remedy(tag: str) -> None:
    with pytest.raises(SettingsError, match=r"is not a version; give --tag as 1\.2\.3"):
        parse_version(tag)


@pytest.mark.parametrize("tag", ["1.2", "1", "20260131", COMMIT, COMMIT[:8], "latest", "stable", "lts-2026"])
def test_a_tag_that_moves_may_be(tag: str) -> None:
    assert extra(tag) == (tag,)


def test_a_tag_counts_once_and_the_version_is_none_of_them() -> None:
    assert extra("1.2", "1.2.3", "latest", "1.2") == ("1.2", "latest")


def test_nothing_is_tagged_latest_unasked() -> None:
    assert extra() == ()


@pytest.mark.parametrize(
    ("tag", "sentence"),
    [
        ("1.3", r"does not fit the version 1\.2\.3; write 1\.2 or 1"),
        ("2", r"does not fit the version 1\.2\.3"),
        ("1.2.4", r"is a version, and versions never move; publish it with --tag"),
        ("v1.2.4", r"is a version"),
        ("20260201", r"is not the day of the build; leave it out, or write 20260131"),
        ("deadbeef", r"is not the commit of the build; write 01234567"),
        ("-x", r"cannot be a tag"),
        ("a b", r"cannot be a tag"),
        ("a/b", r"cannot be a tag"),
        ("x" * 129, r"cannot be a tag"),
        ("", r"cannot be a tag"),
        (f"sha256-{'0' * 64}", r"cannot be a tag"),
        (f"sha256-{'0' * 64}.sig", r"cannot be a tag"),
    ],
)
def test_a_tag_that_says_what_is_not_so_is_refused(tag: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=f"The extra tag .* {sentence}"):
        extra(tag)


@pytest.mark.parametrize("tag", ["latest", "1", "1.2"])
def test_a_pre_release_takes_no_tag_of_releases(tag: str) -> None:
    with pytest.raises(SettingsError, match=r"is for final versions, and 1\.2\.3-rc\.1 is not one"):
        extra(tag, version="1.2.3-rc.1")


def test_a_commit_of_digits_is_no_date() -> None:
    assert extra("20250101", revision="20250101" * 5) == ("20250101",)


def test_only_a_pre_release_is_not_final() -> None:
    assert (Tags("1.2.3").is_final, Tags("1.2.3-rc.1").is_final) == (True, False)


def test_the_newest_release_is_by_number_and_no_pre_release() -> None:
    assert newest(["1.9.0", "1.10.0", "1.10", "2.0.0-rc.1", "latest"]) == "1.10.0"
    assert newest(["latest", "1.0.0-rc.1"]) == ""
