"""The functions and their flags, read from the module and from the SDK's classes."""

import inspect
import json
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagger
from dagger.client.base import Type
from dagger.mod import default_module
from dagger.mod._resolver import Constructor, ObjectType
from typing_extensions import Self

import pipeline.module.main  # noqa: F401  it registers the module's objects

MAIN_OBJECT = "SkaBaseImages"


@dataclass(frozen=True)
class Flag:
    """One parameter of a function.

    Attributes:
        name: as on the command line, without the dashes.
        key: Python's name.
        kind: the type of one value.
        many: whether it is a list.
        doc: its description.
        default: its value when it is not given; None if unknown.
        required: whether a call must give it.
        ignore: patterns of what is not taken of a directory.
    """

    name: str
    key: str
    kind: type
    many: bool
    doc: str
    default: Any
    required: bool
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True)
class Function:
    """One function.

    Attributes:
        name: as on the command line.
        key: Python's name; empty for the constructor.
        doc: all of its description.
        flags: in their order.
        returns: the type of the result, or of its elements; None for a function that returns nothing.
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
    """Read the functions of an object.

    Args:
        owner: a class of the SDK; the module's main object when None.

    Returns:
        The functions by their command-line names, sorted.
    """
    if owner is None:
        found = [_function(function) for name, function in _main().functions.items() if name]
    else:
        methods = inspect.getmembers(owner, inspect.isfunction)
        found = [_method(owner, method) for name, method in methods if _callable(name)]
    return {f.name: f for f in sorted(found, key=lambda f: f.name)}


def is_object(kind: type | None) -> bool:
    """Return whether values of a type have functions."""
    return isinstance(kind, type) and issubclass(kind, Type)


def _main() -> ObjectType[Any]:
    return default_module().get_object(MAIN_OBJECT)


def _callable(name: str) -> bool:
    # with_ takes a Python function, which a command line cannot give.
    return not name.startswith("_") and name != "with_"


def _function(function: Any) -> Function:
    """Read a function of the module in the same way as Dagger's registration."""
    flags = []
    for key, parameter in function.parameters.items():
        kind, many = element_type(parameter.resolved_type)
        default = json.loads(parameter.default_value or "null")
        required = not parameter.is_optional
        ignore = tuple(parameter.ignore or ())
        flags.append(Flag(kebab(parameter.name), key, kind, many, _line(parameter.doc), default, required, ignore))
    key = "" if isinstance(function, Constructor) else function.original_name
    returns, many = element_type(function.return_type)
    doc = inspect.cleandoc(function.doc or "")
    return Function(kebab(function.name), key, doc, tuple(flags), _nothing_is_none(returns), many)


def _method(owner: type, method: Any) -> Function:
    """Read a method of the SDK's generated classes, whose documentation is numpydoc."""
    hints = {name: owner if hint is Self else hint for name, hint in typing.get_type_hints(method).items()}
    text, _, section = inspect.getdoc(method).partition("\n\nParameters\n")  # type: ignore[union-attr]
    docs = dict(re.findall(r"^(\w+):\n((?: .*\n?|\n)+)", section, re.MULTILINE))
    flags = []
    for key, parameter in list(inspect.signature(method).parameters.items())[1:]:
        kind, many = element_type(hints[key])
        required = parameter.default is parameter.empty
        default = None if required else parameter.default
        name = kebab(key.removesuffix("_"))
        flags.append(Flag(name, key, kind, many, _line(docs.get(key)), default, required))
    returns, many = element_type(hints["return"])
    text = re.split(r"\n\n(?:Returns|Raises|Note|Example)\n---", text)[0]
    name = kebab(method.__name__.removesuffix("_"))
    return Function(name, method.__name__, text, tuple(flags), _nothing_is_none(returns), many)


def _nothing_is_none(kind: type) -> type | None:
    return None if kind is type(None) else kind


def _line(doc: str | None) -> str:
    return " ".join((doc or "").split())


def element_type(annotation: Any) -> tuple[type, bool]:
    """Reduce an annotation to the type of one value and whether it is a list of them.

    Args:
        annotation: such as `str`, `dagger.File | None` or `list[str] | None`.
    """
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        (annotation,) = (a for a in typing.get_args(annotation) if a is not type(None))
    many = typing.get_origin(annotation) is list
    if many:
        (annotation,) = typing.get_args(annotation)
    kind = annotation or type(None)
    # The SDK's classes by name: beartype leaves proxies of classes that it had not seen when it checked a method, and
    # Python 3.10 leaves the string in list["Container"].
    return getattr(dagger, kind if isinstance(kind, str) else kind.__name__, kind), many
