"""Logins for apt's sources: which of the host's are handed on, and in which form."""

from pathlib import Path

import pytest
from embedded_engine.host.aptauth import auth_conf, without_login
from embedded_engine.host.credentials import without_logins
from embedded_engine.host.errors import BadInput


def test_a_login_in_a_source_becomes_an_entry_for_that_source() -> None:
    found = auth_conf(["http://user:p%40ss@mirror.example:8080/debian/"], [])
    assert found == "machine http://mirror.example:8080/debian login user password p@ss\n"


def test_a_source_without_a_login_needs_no_entry() -> None:
    assert auth_conf(["http://mirror.example/debian/"], []) == ""


def test_a_user_without_a_password_is_an_entry_too() -> None:
    assert auth_conf(["https://token@mirror.example/"], []) == "machine https://mirror.example login token\n"


def test_of_a_file_the_entries_of_the_sources_hosts_are_taken_and_no_others(tmp_path: Path) -> None:
    file = tmp_path / "auth.conf"
    file.write_text("machine mirror.example/debian login a password b\nmachine other.example login c password d\n")
    assert auth_conf(["https://mirror.example/debian/"], [file]) == (
        "machine mirror.example/debian login a password b\n"
    )


def test_a_file_that_is_not_there_has_no_entries(tmp_path: Path) -> None:
    assert auth_conf(["https://mirror.example/"], [tmp_path / "auth.conf"]) == ""


@pytest.mark.parametrize("content", [b"machine m.example login a passw c4nary", b"machine m.example login \xff"])
def test_a_malformed_file_is_named_and_not_repeated(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "auth.conf"
    file.write_bytes(content)
    with pytest.raises(BadInput, match=rf"apt's logins in {file} cannot be read \(.*\); correct the file") as caught:
        auth_conf(["https://m.example/"], [file])
    assert "c4nary" not in str(caught.value)


def test_a_password_with_white_space_is_refused_and_not_repeated() -> None:
    with pytest.raises(BadInput, match=r"source http://m.example holds white space") as caught:
        auth_conf(["http://a:c4%20nary@m.example/"], [])
    assert "nary" not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "plain"),
    [
        ("http://u:p@h:1/x/", "http://h:1/x/"),
        ("http://h/a@b/", "http://h/a@b/"),
        ("file:/srv/mirror", "file:/srv/mirror"),
    ],
)
def test_a_source_s_address_loses_its_login_and_nothing_else(uri: str, plain: str) -> None:
    assert without_login(uri) == plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("proxy http://u:p@h:1 failed", "proxy http://***@h:1 failed"),
        ("proxy http://u:p@ss@h:1x failed", "proxy http://***@h:1x failed"),
        ("docker://h/image@sha256:0", "docker://h/image@sha256:0"),
    ],
)
def test_what_a_program_says_is_shown_without_logins(text: str, shown: str) -> None:
    assert without_logins(text) == shown
