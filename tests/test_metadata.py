"""/etc/skao.metadata: what is written is what is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import MetadataError
from pipeline.metadata import KEYS, Metadata, parse

PRINTABLE = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")))


def metadata(**changes: str) -> Metadata:
    values = {key: key for key in ("created", "version", "tags", "team", "url", "source", "baseImage")}
    return Metadata(**(values | changes))


def test_the_keys_are_those_of_the_documentation_in_its_order() -> None:
    assert KEYS == (
        "int.skao.image.created",
        "int.skao.image.version",
        "int.skao.image.tags",
        "int.skao.image.team",
        "int.skao.image.url",
        "int.skao.image.source",
        "int.skao.image.baseImage",
    )


@given(st.builds(Metadata, *[PRINTABLE] * 7))
def test_the_file_parses_back_to_the_labels(written: Metadata) -> None:
    assert parse(written.render()) == written.labels()


def test_each_line_is_a_key_and_a_quoted_value() -> None:
    assert metadata().render().splitlines()[3] == 'int.skao.image.team="team"'


def test_a_quote_and_a_backslash_are_escaped() -> None:
    assert r'int.skao.image.team="a \"b\" \\c"' in metadata(team=r'a "b" \c').render()


@given(st.characters(categories=("Cc", "Cs", "Zl", "Zp")))
def test_a_line_break_or_control_character_is_refused(character: str) -> None:
    with pytest.raises(MetadataError, match=r"int\.skao\.image\.team holds a line break"):
        metadata(team=f"a{character}b")


@pytest.mark.parametrize("line", ["", "key", "key=value", 'key="a"b"', 'key="a', '="a"', 'key="a\\"', 'key="a"\n'])
def test_a_malformed_line_is_named(line: str) -> None:
    with pytest.raises(MetadataError, match=r"Line [12] of /etc/skao\.metadata"):
        parse(f"{line}\n")
