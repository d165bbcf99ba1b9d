"""The module as Dagger sees it: registered by the SDK's own runtime, compared with what it should be."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.publish.functions import RELEASE_FUNCTIONS
from tests.registered import FRESH, KEPT, Argument, Function, Registered
from tests.registry_of_types import Call, Value, serve
from tests.trust.audit_functions import AUDIT_FUNCTIONS
from tests.trust.functions import TRUST_FUNCTIONS

PROJECT = Path(__file__).parent.parent

IMAGE = {"image": Argument("String!", None, "Name of the image, as `images` lists them.")}

CONSTRUCTOR = {
    "base": Argument(
        "String!",
        '"auto"',
        "Image that all others are built from, with its digest (NAME@sha256:…); auto is the one of the settings.",
    ),
    "base_archive": Argument(
        "File",
        "null",
        "Archive used instead of pulling the base: OCI or docker archive, or root filesystem tarball.",
    ),
    "version": Argument("String!", '""', "Semantic version of the images, as in 1.2.3; by default the project's."),
    "created": Argument(
        "String!", '""', "Moment of the build in UTC, as in 2026-01-31T12:00:00Z; by default today at 00:00:00Z."
    ),
    "snapshot": Argument(
        "String!",
        '""',
        "Moment whose Ubuntu packages are taken, as in 20260131T120000Z, or off; by default a release's day.",
    ),
    "team": Argument("String!", '""', "Team that answers for the images; by default that of the settings."),
    "url": Argument("String!", '""', "Where the images are documented; by default that of the settings."),
    "source": Argument("String!", '""', "Where the images' source code is; by default that of the settings."),
    "registry": Argument(
        "String!",
        '""',
        "Registry, with a path where there is one, of the images' references; by default that of the settings.",
    ),
    "tools": Argument(
        "Directory",
        "null",
        "Directory of the tools that gates run, used instead of their makers' releases; `make tools` fills one.",
    ),
    # A default that is made anew for each object is not registered; the argument is optional by its type then.
    "label": Argument("[String!]", None, "Further label of the images, key=value; may be given again."),
}

FUNCTIONS = {
    "build_all": Function(
        "Directory!",
        FRESH,
        False,
        "Build and check all images.\n\n"
        "Returns a directory with an OCI archive of each image, NAME.tar, and build-report.json.\n"
        "When a check fails nothing is returned, and the results of all checks are shown.",
        {},
    ),
    "build": Function("Container!", FRESH, False, "Build one image, without its checks.", IMAGE),
    "ska_base": Function(
        "Container!",
        FRESH,
        False,
        "Build ska-base: Ubuntu with all security updates, certificates and an unprivileged user.",
        {},
    ),
    "ska_build": Function(
        "Container!", FRESH, False, "Build ska-build: Python, pip, pipx, Poetry and a C++ compiler.", {}
    ),
    "ska_build_python": Function(
        "Container!",
        FRESH,
        False,
        "Build ska-build-python: ska-build with venv, git and Poetry set up for containers.",
        {},
    ),
    "ska_python": Function("Container!", FRESH, False, "Build ska-python: Python only, to run applications.", {}),
    "check": Function(
        "String!",
        FRESH,
        True,
        "Build images, run their checks inside of them, and return every result.\n\n"
        "When a check fails the call fails, and the results of all checks are shown.",
        {"image": Argument("[String!]", "null", "Image to check; may be given again. By default all.")},
    ),
    "metadata": Function(
        "String!", FRESH, False, "Return what /etc/skao.metadata says in an image; nothing is built.", IMAGE
    ),
    "images": Function(
        "String!",
        KEPT,
        False,
        "List the images as JSON: name, parent, title, description, size budget in bytes, checks.",
        {},
    ),
    **RELEASE_FUNCTIONS,
    **TRUST_FUNCTIONS,
    **AUDIT_FUNCTIONS,
}


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
        calls.get("withDescription", {}).get("description", ""),
        arguments,
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


def test_the_module_says_what_it_is(registered: Registered) -> None:
    assert registered.description.startswith("The base container images of the SKA Observatory")


def test_the_main_object_says_what_it_does(registered: Registered) -> None:
    assert registered.object_description == (
        "Builds, checks, publishes and describes the base container images of the SKA Observatory."
    )


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
