"""The module as Dagger sees it: registered by the SDK's own runtime, compared with what it should be."""

import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pipeline.module
from pipeline.module.main import SkaBaseImages
from tests.registered import CONSTRUCTOR, FUNCTIONS, KEPT, Argument, Function, Registered
from tests.registry_of_types import Call, Value, serve

PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Registered:
    """What the runtime of Dagger's Python SDK registers for this project."""
    output = tmp_path_factory.mktemp("registration") / "module.json"
    with serve() as registry:
        done = subprocess.run(
            [sys.executable, "-c", "from dagger.mod.cli import app; raise SystemExit(app(register=True))"],
            env={
                **os.environ,
                "DAGGER_SESSION_PORT": str(registry.port),
                "DAGGER_SESSION_TOKEN": "none",
                "DAGGER_MODULE": json.loads((PROJECT / "dagger.json").read_text())["name"],
                "DAGGER_MAIN_OBJECT": "SkaBaseImages",
                "DAGGER_MODULE_FILE": str(output),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return read_module(registry.values[json.loads(output.read_text())])


def one(value: Value, name: str) -> Call:
    (found,) = [call for call in value if call.name == name]
    return found


def read_module(value: Value) -> Registered:
    type_def = one(value, "withObject").arguments["object"]
    functions = [read_function(c.arguments["function"]) for c in type_def if c.name == "withFunction"]
    return Registered(
        one(value, "withDescription").arguments["description"],
        one(type_def, "withObject").arguments["name"],
        one(type_def, "withObject").arguments["description"],
        read_function(one(type_def, "withConstructor").arguments["function"])[1],
        dict(functions),
    )


def read_function(value: Value) -> tuple[str, Function]:
    made = value[0].arguments
    calls = {call.name: call.arguments for call in value}
    arguments = {
        call.arguments["name"]: Argument(
            read_type(call.arguments["typeDef"]),
            call.arguments.get("defaultValue"),
            call.arguments["description"],
        )
        for call in value
        if call.name == "withArg"
    }
    return made["name"], Function(
        read_type(made["returnType"]),
        calls.get("withCachePolicy", {}).get("policy", KEPT),
        "withCheck" in calls,
        arguments,
        calls.get("withDescription", {}).get("description", ""),
    )


def read_type(value: Value) -> str:
    """Write a type as GraphQL does."""
    calls = {call.name: call.arguments for call in value}
    if "withListOf" in calls:
        name = f"[{read_type(calls['withListOf']['elementType'])}]"
    elif "withObject" in calls:
        name = calls["withObject"]["name"]
    else:
        name = calls["withKind"]["kind"].removesuffix("_KIND").capitalize()
    return name if calls.get("withOptional", {}).get("optional") else f"{name}!"


def test_the_main_object_has_dagger_s_name_for_the_module(registered: Registered) -> None:
    assert registered.object == "SkaBaseImages"


def test_the_module_and_its_main_object_are_registered_with_their_docstrings(registered: Registered) -> None:
    assert registered.description == inspect.getdoc(pipeline.module)
    assert registered.object_description == inspect.getdoc(SkaBaseImages)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_registered_with_its_docstring(registered: Registered, name: str) -> None:
    assert registered.functions[name].description == inspect.getdoc(getattr(SkaBaseImages, name))


def test_every_argument_is_registered_with_a_sentence(registered: Registered) -> None:
    functions = [registered.constructor, *registered.functions.values()]
    arguments = [argument for function in functions for argument in function.arguments.items()]
    assert [name for name, argument in arguments if not re.fullmatch(r"[A-Z].*[.…]", argument.description)] == []


def test_the_functions_are_those_of_the_design(registered: Registered) -> None:
    assert set(registered.functions) == set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_registered_as_it_should_be(registered: Registered, name: str) -> None:
    assert registered.functions[name] == FUNCTIONS[name]


def test_the_constructor_has_the_arguments_of_the_design(registered: Registered) -> None:
    assert list(registered.constructor.arguments) == list(CONSTRUCTOR)


@pytest.mark.parametrize("name", CONSTRUCTOR)
def test_an_argument_of_the_constructor_is_registered_as_it_should_be(registered: Registered, name: str) -> None:
    assert registered.constructor.arguments[name] == CONSTRUCTOR[name]


def test_the_module_asks_for_the_lowest_engine_of_its_series() -> None:
    # An engine refuses a module that asks for a newer one, and nothing here needs more than this.
    assert json.loads((PROJECT / "dagger.json").read_text())["engineVersion"] == "v0.21.0"
