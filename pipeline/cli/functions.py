"""What can be called, and with which flags: read from the module and from the SDK's classes."""

import inspect
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pipeline.module  # noqa: F401  it registers the module's objects
from dagger.client.base import Type
from dagger.mod import default_module
from dagger.mod._resolver import Constructor, ObjectType
from dagger.mod._resolver import Function as SdkFunction

MAIN_OBJECT = "SkaBaseImages"


@dataclass(frozen=True)
class Flag:
    """One parameter of a function.

    Attributes:
        name: as on the command line, without the dashes.
        key: Python's name.
        kind: the type of one value.
        many: whether it is a list.
        doc: what it is for.
        default: what Python uses when it is not given; None where it has none.
        required: whether a call must give it.
    """

    name: str
    key: str
    kind: type
    many: bool
    doc: str
    default: Any
    required: bool


@dataclass(frozen=True)
class Function:
    """One function, with `returns` None for a function that returns nothing.

    Attributes:
        name: as on the command line.
        key: Python's name; empty for the constructor.
        doc: all of its description.
        flags: in their order.
        returns: the type of the result, or of its elements.
        many: whether the result is a list.
    """

    name: str
    key: str
    doc: str
    flags: tuple[Flag, ...]
    returns: type | None
    many: bool

    @property
    def summary(self) -> str:
        """The first sentence of the description."""
        first = self.doc.split("\n\n")[0].replace("\n", " ").strip()
        return re.split(r"(?<=\.) ", first)[0]


def kebab(name: str) -> str:
    """Write a name as `dagger call` does.

    Args:
        name: camelCase, PascalCase or snake_case.
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).replace("_", "-").lower()


def constructor() -> Function:
    """Read the constructor of the module's main object."""
    return _function(_main().get_constructor())


def new_main_object(given: Mapping[str, Any]) -> Any:
    """Construct the module's main object.

    Args:
        given: values by Python's names.

    Returns:
        The object, or a coroutine that makes it.
    """
    return _main().get_constructor().wrapped(**given)


def functions_of(owner: type | None) -> dict[str, Function]:
    """Read what can be called on an object.

    Args:
        owner: a class of the SDK; the module's main object when None.

    Returns:
        The functions by their command-line names, sorted.
    """
    if owner is None:
        found = [function for name, function in _main().functions.items() if name]
    else:
        methods = inspect.getmembers(owner, inspect.isfunction)
        found = [SdkFunction(m, origin=owner) for name, m in methods if _callable(name)]
    return {f.name: f for f in sorted(map(_function, found), key=lambda f: f.name)}


def is_object(kind: type | None) -> bool:
    """Tell whether functions can be called on values of a type."""
    return isinstance(kind, type) and issubclass(kind, Type)


def _main() -> ObjectType[Any]:
    return default_module().get_object(MAIN_OBJECT)


def _callable(name: str) -> bool:
    # with_ takes a Python function: nothing that a command line could give.
    return not name.startswith("_") and name != "with_"


def _function(function: Any) -> Function:
    doc = inspect.cleandoc(function.doc or "")
    parameter_docs = _parameter_docs(doc)
    returns, many = element_type(function.return_type)
    flags = tuple(
        _flag(key, parameter, parameter_docs.get(key, "")) for key, parameter in function.parameters.items()
    )
    key = "" if isinstance(function, Constructor) else function.original_name
    text = re.split(r"\n+(?:Parameters|Returns|Raises|Note|Example)\n-+\n", doc)[0]
    kind = None if returns is type(None) else returns
    return Function(kebab(function.name.removesuffix("_")), key, text.strip(), flags, kind, many)


def _flag(key: str, parameter: Any, documented: str) -> Flag:
    kind, many = element_type(parameter.resolved_type)
    default = parameter.signature.default if parameter.has_default else None
    doc = " ".join((parameter.doc or documented).split())
    return Flag(kebab(parameter.name), key, kind, many, doc, default, not parameter.is_optional)


def element_type(annotation: Any) -> tuple[type, bool]:
    """Reduce an annotation to the type of one value and whether it is a list of them.

    Args:
        annotation: such as `str`, `dagger.File | None` or `list[str] | None`.
    """
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        (annotation,) = (a for a in typing.get_args(annotation) if a is not type(None))
    if typing.get_origin(annotation) is list:
        return typing.get_args(annotation)[0], True
    return annotation or type(None), False


def _parameter_docs(doc: str) -> Mapping[str, str]:
    """Read the "Parameters" section of the SDK's own docstrings (numpydoc)."""
    _, _, section = doc.partition("Parameters\n----------\n")
    found = re.findall(r"^(\w+):\n((?:[ ]+.*\n?|\n)+)", section, re.MULTILINE)
    return dict(found)
