"""Settings: which source wins, and what is refused."""

import os
import re
from pathlib import Path

import pytest

from pipeline.build import settings
from pipeline.build.settings import Settings
from pipeline.catalogue.lines import find_line
from pipeline.errors import SettingsError

DIGEST = "sha256:" + "0" * 64
UBUNTU, UBUNTU24, UBUNTU26 = (f"ubuntu:{release}@{DIGEST}" for release in ("22.04", "24.04", "26.04"))
TABLE = """
[project]
version = "3.2.1"
[tool.ska-images]
base = "{base}"
registry = "registry.example.org"
team = "of the project"
url = "u"
source = "s"
documentation = "d"
vendor = "v"
licenses = "l"
auditor = "bootstrap:auto"
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "pyproject.toml"
    path.write_text(TABLE.format(base=UBUNTU))
    monkeypatch.setattr(settings, "PYPROJECT", path)
    monkeypatch.delenv("CI_COMMIT_SHA", raising=False)
    monkeypatch.delenv("SKA_CREATED")
    monkeypatch.chdir(tmp_path)
    return path


def test_the_project_s_table_is_the_weakest_source() -> None:
    assert Settings().team == "of the project"


def test_a_dot_env_file_goes_before_the_project(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SKA_TEAM='of the file'\n")
    assert Settings().team == "of the file"


def test_a_dot_env_file_of_the_current_directory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".env").write_text(f"SKA_BASE=attacker.example/image@{DIGEST}\n")
    monkeypatch.chdir(elsewhere)
    assert Settings().base == (UBUNTU,)


def test_the_project_s_dot_env_file_is_read_from_any_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("SKA_TEAM='of the file'\n")
    monkeypatch.chdir("/")
    assert Settings().team == "of the file"


def test_the_environment_goes_before_the_dot_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("SKA_TEAM='of the file'\n")
    monkeypatch.setenv("SKA_TEAM", "of the environment")
    assert Settings().team == "of the environment"


def test_an_argument_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKA_TEAM", "of the environment")
    assert Settings(team="of the call").team == "of the call"


def test_a_dot_env_file_may_hold_other_programs_variables(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OTHER=1\n")
    assert Settings().team == "of the project"


def test_the_version_is_the_project_s_by_default() -> None:
    assert Settings().version == "3.2.1"


def test_the_revision_is_gitlab_s_commit_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_COMMIT_SHA", "abc")
    assert Settings().revision == "abc"


def test_created_is_a_day_s_first_second_by_default() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", Settings().created)


def test_created_may_be_a_date() -> None:
    assert Settings(created="2026-01-31").created == "2026-01-31T00:00:00Z"


def test_created_may_be_in_the_time_zone_of_a_gitlab_server() -> None:
    assert Settings(created="2026-01-31T00:30:00+01:00").created == "2026-01-30T23:30:00Z"


def test_the_epoch_is_in_seconds_and_utc() -> None:
    assert Settings(created="1970-01-01T00:01:00Z").epoch == "60"


def test_a_label_s_value_may_hold_equals_signs() -> None:
    assert Settings(label=["CI_JOB_URL=https://h/?a=b"]).labels == {"CI_JOB_URL": "https://h/?a=b"}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("base", "ubuntu:22.04", r"The base 'ubuntu:22.04' has no digest; write it with one"),
        ("base", "ubuntu@sha256:12", r"The base 'ubuntu@sha256:12' has no digest"),
        ("base", "bootstrap:", r"The base 'bootstrap:' has no digest"),
        ("base", "ubuntu23=ubuntu:22.04@" + DIGEST, r"There is no line 'ubuntu23'; did you mean 'ubuntu2\d'\?"),
        ("base", "ubuntu24=ubuntu:24.04", r"The base 'ubuntu:24.04' has no digest"),
        ("lines", "ubuntu25", r"There is no line 'ubuntu25'; did you mean 'ubuntu2\d'\? The lines are ubuntu22, "),
        ("lines", [], r"The setting lines names no line; give at least one"),
        ("no_profile_until", "ubuntu62=2026-12-31", r"There is no line 'ubuntu62'; did you mean 'ubuntu2\d'\?"),
        ("no_profile_until", "ubuntu26=soon", r"The day in 'ubuntu26=soon' is not a date; write it as ubuntu26=2026-1"),
        ("version", "v1.2.3", r"The version 'v1.2.3' is not a semantic version; write it as 1.2.3"),
        ("version", "1.2", r"The version '1.2' is no"),
        ("version", "1.2.3+4", r"The version '1.2.3\+4' is no"),
        ("version", "1.2.3\n", r"The version '1.2.3\\n' is no"),
        ("created", "yesterday", r"The time of creation 'yesterday' is not a time .* write it as 2026-01-31T12:00:00Z"),
        ("created", "2026-02-30", r"The time of creation '2026-02-30' is no"),
        ("created", "2026-01-31T12:00:00", r"The time of creation '2026-01-31T12:00:00' is no"),
        ("created", "2026-01-31T12:00:00+0100", r"The time of creation '2026-01-31T12:00:00\+0100' is no"),
        ("created", "1969-12-31", r"The time of creation '1969-12-31' is no"),
        ("created", "2026-01-31\n", r"The time of creation '2026-01-31\\n' is no"),
        ("created", "2999-01-31", r"The time of creation 2999-01-31 is in the future, .* a time in the past"),
        ("snapshot", "yesterday", r"The snapshot 'yesterday' is not a time in UTC; write it as 20260131T120000Z or"),
        ("snapshot", "20260230", r"The snapshot '20260230' is no"),
        ("snapshot", "20260131T12", r"The snapshot '20260131T12' is no"),
        ("created", "0001-01-01T00:00:00+14:00", r"'0001-01-01T00:00:00\+14:00' is not a time since 1970"),
        ("created", "9999-12-31T23:59:59-14:00", r"'9999-12-31T23:59:59-14:00' is not a time since 1970"),
        ("snapshot", "09990101", r"The snapshot 09990101T000000Z of Ubuntu's archive does not exist"),
        ("scan_database_days", 1e300, r"scan_database_days takes a number of days such as 3 or 0.5, not 1e\+300"),
        ("snapshot", "20230228T235959Z", r"The snapshot 20230228T235959Z .*, or build with --snapshot off"),
        ("snapshot", "29990101", r"The snapshot 29990101T000000Z .* until now"),
        ("label", ["plain"], r"The label 'plain' is malformed; write it as key=value"),
        ("label", ["=x"], r"The label '=x' is malformed"),
        ("label", ["a=b\nc"], r"The value 'b\\nc' of the label a holds a line break"),
        ("label", ["int.skao.image.team=x"], r"'int.skao.image.team' is written by the build itself"),
        ("team", "a\nb", r"The value 'a\\nb' of the setting team holds a line break"),
        ("registry", "https://host.example", r"The registry 'https://host.example' has a scheme; write it without"),
        ("registry", "team/images", r"The registry 'team/images' does not begin with a host; write HOST"),
        ("registry", "host.example/../x", r"The path '../x' of the registry 'host.example/../x' is not valid"),
    ],
)
def test_a_malformed_value_is_refused_in_a_sentence_with_the_remedy(name: str, value: object, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        Settings(**{name: value})


def test_a_release_is_frozen_at_the_start_of_its_day() -> None:
    assert Settings(created="2026-01-31T12:34:56Z", version="1.2.3").snapshot_of(UBUNTU) == "20260131T000000Z"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"version": "1.2.3"},
        {"created": "2026-01-31", "version": "1.2.3-rc.1"},
        {"created": "2026-01-31", "snapshot": "off"},
        {"created": "2023-02-28"},
    ],
)
def test_nothing_else_is_frozen_by_itself(given: dict[str, str]) -> None:
    assert Settings(**given).snapshot_of(UBUNTU) == ""


@pytest.mark.parametrize("built", ["2026-01-31T23:05:00Z", "2026-02-01T00:10:00Z", "2026-02-01T12:00:00Z"])
def test_a_release_has_the_state_that_was_looked_at_before_or_a_later_one(built: str) -> None:
    looked_at = Settings(created="2026-01-31T23:00:00Z").snapshot_of_a_release(f"ubuntu:22.04@{DIGEST}")
    assert looked_at == "20260131T000000Z"
    assert looked_at <= Settings(created=built, version="1.2.4").snapshot_of(UBUNTU)


def test_a_release_on_a_stand_in_is_not_frozen() -> None:
    assert Settings(created="2026-01-31", version="1.2.3").snapshot_of("bootstrap:debian-12") == ""


def test_a_release_on_a_stand_in_has_no_state_to_look_at() -> None:
    assert Settings(created="2026-01-31").snapshot_of_a_release("bootstrap:debian-12") == ""


def test_a_dot_env_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"SKA_TEAM=\xff\n")
    with pytest.raises(SettingsError, match=r"The file \.env is not UTF-8 \(.*\); write it in UTF-8"):
        Settings()


def test_a_dot_env_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".env")
    with pytest.raises(SettingsError, match=r"/\.env is not a regular file, .*; remove it"):
        Settings()


def test_labels_of_the_environment_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKA_LABEL", '["a=b"]')
    assert Settings().labels == {"a": "b"}
    monkeypatch.setenv("SKA_LABEL", "a=b")
    with pytest.raises(SettingsError, match=r"""'label' is a list, and .* SKA_LABEL='\["key=value"\]'\."""):
        Settings()


def test_a_pipeline_s_time_makes_a_release(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKA_CREATED", "2026-01-31T12:34:56Z")
    assert Settings().snapshot_of(UBUNTU) == "20260131T000000Z"


@pytest.mark.parametrize(("given", "moment"), [("20260131", "000000Z"), ("20260131T123456Z", "123456Z")])
def test_a_snapshot_is_a_day_s_start_or_a_moment(given: str, moment: str) -> None:
    assert Settings(snapshot=given).snapshot_of(UBUNTU) == f"20260131T{moment}"


def test_a_snapshot_of_a_stand_in_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"20260131T000000Z is of Ubuntu's archive, .* build with --snapshot off"):
        Settings(snapshot="20260131", base="bootstrap:debian-12")


def test_a_stand_in_is_a_base() -> None:
    assert Settings(base="bootstrap:debian-12").base == ("bootstrap:debian-12",)


def test_one_line_is_built_by_default() -> None:
    assert Settings().lines == ("ubuntu22",)


def test_lines_of_the_environment_have_commas_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKA_LINES", "ubuntu22,ubuntu24")
    assert Settings(base=()).lines == ("ubuntu22", "ubuntu24")


def test_a_line_that_is_given_twice_is_built_once() -> None:
    assert Settings(lines=["ubuntu24", "ubuntu24"]).lines == ("ubuntu24",)


def test_a_base_alone_is_that_of_the_only_line() -> None:
    assert Settings(lines=["ubuntu24"], base=UBUNTU24).base_of(find_line("ubuntu24")) == UBUNTU24


def test_a_base_may_name_its_line() -> None:
    settings = Settings(lines=["ubuntu22", "ubuntu24"], base=[f"ubuntu24={UBUNTU24}"])
    assert settings.base_of(find_line("ubuntu24")) == UBUNTU24
    assert settings.base_of(find_line("ubuntu22")) == find_line("ubuntu22").base


def test_the_stand_in_that_suits_each_line_may_be_given_for_all() -> None:
    settings = Settings(lines=["ubuntu22", "ubuntu24"], base="bootstrap:auto")
    assert {settings.base_of(find_line(name)) for name in settings.lines} == {"bootstrap:auto"}


def test_one_base_for_several_lines_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"for ubuntu22, ubuntu24 without saying for which; write LINE=REFERENCE"):
        Settings(lines=["ubuntu22", "ubuntu24"], base=UBUNTU)


def test_a_missing_profile_is_accepted_for_a_line_until_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKA_NO_PROFILE_UNTIL", "ubuntu26=2026-12-31")
    settings = Settings()
    assert [settings.no_profile_until_of(name) for name in ("ubuntu22", "ubuntu26")] == ["", "2026-12-31"]


def test_a_missing_setting_is_named(project: Path) -> None:
    project.write_text(project.read_text().replace('vendor = "v"\n', ""))
    with pytest.raises(SettingsError, match="The setting 'vendor' is missing"):
        Settings()


def test_an_unknown_setting_in_the_project_is_named(project: Path) -> None:
    project.write_text(project.read_text() + 'tema = "x"\n')
    with pytest.raises(SettingsError, match="'tema', which is not a setting"):
        Settings()


def test_an_unreadable_project_is_named(project: Path) -> None:
    project.write_text("[")
    with pytest.raises(SettingsError, match="cannot be read"):
        Settings()


@pytest.mark.parametrize(("given", "size"), [("20GB", 20 * 10**9), ("512MiB", 512 << 20), ("0", 0)])
def test_the_quota_is_a_size(monkeypatch: pytest.MonkeyPatch, given: str, size: int) -> None:
    monkeypatch.setenv("SKA_CACHE_QUOTA", given)
    assert Settings().cache_quota == size


@pytest.mark.parametrize("name", ["store", "team", "cache_quota", "scan_database_days", "label", "revision"])
def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    expected = getattr(Settings(), name)
    monkeypatch.setenv(f"SKA_{name.upper()}", "")
    assert getattr(Settings(), name) == expected
    monkeypatch.delenv(f"SKA_{name.upper()}")
    (tmp_path / ".env").write_text(f"SKA_{name.upper()}=\n")
    assert getattr(Settings(), name) == expected
