"""A request is refused for everything that GraphQL forbids, although not every rule looks at every request."""

import pytest
from embedded_engine.server import read_schema, rules_for
from graphql import parse, specified_rules, validate

SCHEMA = read_schema()


@pytest.mark.parametrize(
    "query",
    [
        "{ container { nothing } }",
        "{ container { id(id: 1) } }",
        "{ container { withExec { id } } }",
        "{ container { from(address: 1) { id } } }",
        '{ container { from(address: "a", address: "b") { id } } }',
        "{ container { id { id } } }",
        "{ container }",
        '{ container { a: from(address: "a") { id } a: from(address: "b") { id } } }',
        "{ container { from(address: $a) { id } } }",
        "query($a: Nothing) { container { id } }",
        "query($a: String!) { container { id } }",
        "{ container { ...a } }",
        "{ container { ...a } } fragment a on Container { ...a }",
        "{ container { ... on Directory { id } } }",
        "{ container @nothing { id } }",
        "{ container { id } } { container { id } }",
        "query a { container { id } } query a { container { id } }",
        "mutation { container { id } }",
        "type A { a: Int }",
    ],
)
def test_it_is_refused_as_by_all_rules(query: str) -> None:
    document = parse(query)
    found = validate(SCHEMA, document, rules_for(document))
    assert found
    assert [error.message for error in found] == [error.message for error in validate(SCHEMA, document)]


@pytest.mark.parametrize("text", ["$x", "@x", "...x"])
def test_the_values_of_a_request_ask_for_no_further_rule(text: str) -> None:
    document = parse(f'{{ container {{ withExec(args: ["{text}"]) {{ stdout }} }} }}')
    assert len(rules_for(document)) < len(specified_rules)
    assert validate(SCHEMA, document, rules_for(document)) == []
