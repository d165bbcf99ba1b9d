"""Parameters that several functions share, declared once as the fields of a dataclass.

Dagger makes a flag of each parameter of a function, and has no flag for several values at once. Its SDK reads a
function's parameters with `inspect.signature` and `typing.get_type_hints`, so a wrapper can show it the fields.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from inspect import Parameter
from typing import Any, TypeVar

R = TypeVar("R")


@dataclass(frozen=True)
class Group:
    """Marks a parameter that is a dataclass, whose fields the function takes: `Annotated[Account, Group("from_")]`.

    Args:
        prefix: put before the names of the fields.
    """

    prefix: str = ""


def spread(method: Callable[..., Awaitable[R]]) -> Callable[..., Awaitable[R]]:
    """Return a method whose groups are spread into their fields; all of its parameters are given by name."""
    signature = inspect.signature(method)
    owner, *parameters = signature.parameters.values()
    spreads = {parameter.name: _fields_of(parameter) for parameter in parameters if _groups(parameter)}
    kinds = {name: signature.parameters[name].annotation.__origin__ for name in spreads}

    @functools.wraps(method)
    async def wrapper(self: Any, **given: Any) -> R:
        groups = {name: kinds[name](**_taken(given, flags)) for name, flags in spreads.items()}
        return await method(self, **given, **groups)

    flat = [
        flag.replace(kind=Parameter.KEYWORD_ONLY)
        for parameter in parameters
        for flag in spreads.get(parameter.name, {"": parameter}).values()
    ]
    shown: Any = wrapper
    shown.__signature__ = signature.replace(parameters=[owner, *flat])
    shown.__annotations__ = {flag.name: flag.annotation for flag in flat} | {"return": signature.return_annotation}
    return wrapper


def _groups(parameter: Parameter) -> list[Group]:
    return [mark for mark in getattr(parameter.annotation, "__metadata__", ()) if isinstance(mark, Group)]


def _fields_of(parameter: Parameter) -> dict[str, Parameter]:
    """Return the parameters that the fields of a group become, by the fields' names."""
    (group,) = _groups(parameter)
    return {
        field.name: parameter.replace(
            name=group.prefix + field.name,
            default=Parameter.empty if field.default is MISSING else field.default,
            annotation=field.type,
        )
        for field in fields(parameter.annotation.__origin__)
    }


def _taken(given: dict[str, Any], flags: Mapping[str, Parameter]) -> dict[str, Any]:
    """Take the fields of a group out of what was given."""
    return {name: given.pop(flag.name) for name, flag in flags.items() if flag.name in given}
