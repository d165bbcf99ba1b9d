"""Sizes, ages and numbers: what is one, and what only begins like one."""

import pytest

from pipeline.build.amounts import parse_age, parse_number, parse_size
from pipeline.build.settings import Settings
from pipeline.errors import SettingsError

WRONG_SIZES = [
    "20,5GB",
    "20GB foo",
    "20 GB\n",
    "much",
    "",
    " ",
    "-1",
    "-1GB",
    "+1GB",
    "1e3",
    "1_000",
    "\u0662\u0660GB",
    "20gbit",
]
WRONG_SIZES += ["nan", "inf", "0x10", ".5GB", "1.GB", "1.5", "0.0000001KB", "20G", "20 \u212aB", "9" * 5000]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("20GB", 20 * 10**9),
        ("20.5GB", 20_500_000_000),
        ("20 gb", 20 * 10**9),
        ("512MiB", 512 << 20),
        ("7B", 7),
        ("1000", 1000),
        ("0", 0),
        ("0GB", 0),
    ],
)
def test_a_size_is_a_number_with_a_unit_or_a_number_of_bytes(text: str, size: int) -> None:
    assert parse_size(text) == size
    assert Settings(cache_quota=text).cache_quota == size


@pytest.mark.parametrize("text", WRONG_SIZES)
def test_what_is_not_a_size_is_not_read_as_one(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert parse_size(text) is None
    if text:  # an empty variable counts as unset
        monkeypatch.setenv("SKA_CACHE_QUOTA", text)
        with pytest.raises(SettingsError, match="The setting cache_quota takes a size such as 500MB or 20GB, not "):
            Settings()


@pytest.mark.parametrize("value", [-1, True, 1.5, [20]])
def test_a_number_of_the_projects_table_is_a_size_only_when_it_counts_bytes(value: object) -> None:
    with pytest.raises(SettingsError, match="The setting cache_quota takes a size"):
        Settings(cache_quota=value)
    assert Settings(cache_quota=1000).cache_quota == 1000


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("5m", 300), ("12h", 43_200), ("7d", 604_800), ("0d", 0)])
def test_an_age_is_a_whole_number_with_a_unit(text: str, seconds: int) -> None:
    assert parse_age(text) == seconds


@pytest.mark.parametrize("text", ["", "7", "d", "7 d", "7d ", "-7d", "1.5d", "1e3d", "7D", "7days", "\u0667d", "1w2d"])
def test_what_is_not_an_age_is_not_read_as_one(text: str) -> None:
    assert parse_age(text) is None


@pytest.mark.parametrize(
    ("text", "kind", "number"), [("30", int, 30), ("-1", int, -1), ("0.5", float, 0.5), ("3", float, 3.0)]
)
def test_a_number_is_written_in_decimal_digits(text: str, kind: type, number: float) -> None:
    assert parse_number(text, kind) == number


@pytest.mark.parametrize(
    "text", ["", " 30", "30 ", "+30", "1_0", "\u0663\u0660", "²", "1e3", "0x10", "nan", "inf", "1,5", "3d"]
)
def test_what_is_not_a_number_is_not_read_as_one(text: str) -> None:
    assert parse_number(text, int) is None
    assert parse_number(text, float) is None


@pytest.mark.parametrize("value", ["0", "-1", "1e3", "nan", "inf", " 3", "1_0", True, 0, -0.5, float("nan")])
def test_the_age_of_the_database_is_a_number_of_days_above_0(value: object) -> None:
    with pytest.raises(SettingsError, match="The setting scan_database_days takes a number of days such as 3 or"):
        Settings(scan_database_days=value)


@pytest.mark.parametrize("value", ["3", "0.5", 7, 0.25])
def test_days_may_have_a_fraction(value: str | float) -> None:
    assert Settings(scan_database_days=value).scan_database_days == float(value)
