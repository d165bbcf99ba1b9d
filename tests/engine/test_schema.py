"""What the engine says that it serves, against what it serves and what the SDK sends."""

import inspect
import re
from pathlib import Path

import dagger
import pytest
from embedded_engine.api import SERVED
from embedded_engine.server import read_schema
from graphql import GraphQLObjectType, validate_schema

README = Path(__file__).parents[2] / "engine/README.md"
SCHEMA = read_schema()


def _camel(name: str) -> str:
    head, *rest = name.rstrip("_").split("_")
    return head + "".join(part.capitalize() for part in rest)


def test_the_schema_is_valid() -> None:
    assert validate_schema(SCHEMA) == []


def test_the_readme_lists_exactly_what_is_served() -> None:
    rows = re.findall(r"^\| (\w+) \| (`.*`) \|$", README.read_text(), re.MULTILINE)
    listed = {f"{kind}.{field}" for kind, fields in rows for field in re.findall(r"`(\w+)`", fields)}
    assert listed == set(SERVED)


@pytest.mark.parametrize("name", sorted(SERVED))
def test_a_served_field_is_in_the_schema_with_every_argument_that_it_takes(name: str) -> None:
    kind, field = name.split(".")
    type_ = SCHEMA.type_map[kind]
    assert isinstance(type_, GraphQLObjectType)
    known = set(type_.fields[field].args)
    taken = {_camel(argument) for argument in list(inspect.signature(SERVED[name]).parameters)[2:]}
    assert taken <= known


SERVED_KINDS = (dagger.Container, dagger.Directory, dagger.File, dagger.Secret, dagger.Host)
#: What is reached from those, so that an error names the first field that is not served.
REACHED_KINDS = (dagger.Service, dagger.GitRepository, dagger.GitRef)


@pytest.mark.parametrize("kind", [*SERVED_KINDS, *REACHED_KINDS])
def test_every_method_of_the_sdk_is_a_field_of_the_schema(kind: type) -> None:
    type_ = SCHEMA.type_map[kind.__name__]
    assert isinstance(type_, GraphQLObjectType)
    methods = {_camel(name).lower() for name in vars(kind) if not name.startswith("_")}
    # `with_` is the SDK's own, and the newest SDK 0.21 knows one field that engine 0.21.8 does not have.
    assert methods - {"with", "withmountedvolume"} <= {name.lower() for name in type_.fields}
