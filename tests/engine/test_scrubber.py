"""Secrets are taken out of a stream, however it is cut."""

from embedded_engine.make.scrubber import Scrubber
from hypothesis import given
from hypothesis import strategies as st


def _shown(secrets: list[bytes], pieces: list[bytes]) -> bytes:
    scrubber = Scrubber(secrets)
    return b"".join([*map(scrubber.feed, pieces), scrubber.end()])


def test_a_secret_is_hidden_wherever_the_stream_is_cut() -> None:
    text = b"before s3cret after"
    for cut in range(len(text)):
        assert _shown([b"s3cret"], [text[:cut], text[cut:]]) == b"before *** after"


def test_a_secret_of_several_lines_is_hidden() -> None:
    assert _shown([b"one\ntwo"], [b"<one\n", b"two>\n"]) == b"<***>\n"


def test_a_secret_is_hidden_without_the_white_space_around_it_too() -> None:
    assert _shown([b" key\n"], [b"<key>"]) == b"<***>"


def test_the_longer_of_two_secrets_is_hidden_as_one() -> None:
    assert _shown([b"abc", b"abcdef"], [b"abc", b"def abc"]) == b"*** ***"


def test_what_only_begins_like_a_secret_is_shown_at_the_end() -> None:
    assert _shown([b"secret"], [b"sec", b"tor sec"]) == b"sector sec"


def test_without_secrets_all_is_shown() -> None:
    assert _shown([b""], [b"a", b" b"]) == b"a b"


@given(st.lists(st.text("ab", min_size=1, max_size=4).map(str.encode), min_size=1, max_size=3), st.data())
def test_what_is_shown_does_not_depend_on_the_cuts(secrets: list[bytes], data: st.DataObject) -> None:
    pieces = data.draw(st.lists(st.text("abc", max_size=6).map(str.encode), max_size=6))
    shown = _shown(secrets, pieces)
    assert shown == _shown(secrets, [b"".join(pieces)])
    assert not any(secret in shown for secret in secrets)
