"""A query is read as graphql-core reads it."""

import graphql
import pytest
from embedded_engine.parser import parse

TEXTS = (
    '""',
    '"a"',
    r'"\"\\\/\b\f\n\r\t"',
    r'"\\u0041"',
    r'"\u0041\uD83D\uDE00\u{1F600}"',
    '"\t\x00\x7f\u2028é😀"',
    '"""a "b" \\u0041\n  c"""',
)
NOT_TEXTS = ('"a\nb"', '"a\rb"', r'"\uD83D"', '"\ud83d"', r'"\u00"', r'"\x"', '"a', '"a\\"')


def query(text: str) -> str:
    """Return a query with a text as it stands there."""
    return f"{{ a(b: {text}, c: {text}) }}"


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_a_text_is_what_graphql_core_makes_of_it(text: str) -> None:
    found, expected = parse(query(text)), graphql.parse(query(text))
    assert found.to_dict(locations=True) == expected.to_dict(locations=True)


@pytest.mark.parametrize("text", NOT_TEXTS, ids=ascii)
def test_what_is_no_text_is_refused_as_by_graphql_core(text: str) -> None:
    refusals = []
    for one in (parse, graphql.parse):
        with pytest.raises(graphql.GraphQLSyntaxError) as caught:
            one(query(text))
        refusals.append((caught.value.message, caught.value.positions))
    assert refusals[0] == refusals[1]
