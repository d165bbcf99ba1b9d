"""Type hints that every Python reads alike.

On Python 3.10 `typing.get_type_hints` wraps the hint of a parameter whose default is None in `typing.Optional`
(https://docs.python.org/3.10/library/typing.html#typing.get_type_hints). Dagger's SDK reads hints with it: it then
loses the parameter's description, and beartype, which it asks about each hint, cannot check that form for all of the
SDK's classes.
"""

import functools
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type)


def without_defaults(method: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Wrap a method so that its annotations can be read and its defaults cannot; its signature keeps both."""

    @functools.wraps(method)
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        return await method(*args, **kwargs)

    return wrapper


def constructor_without_defaults(cls: C) -> C:
    """Replace the constructor of a class by one whose annotations can be read and whose defaults cannot."""
    constructor: Callable[..., None] = vars(cls)["__init__"]

    @functools.wraps(constructor)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        constructor(*args, **kwargs)

    target: Any = cls
    target.__init__ = wrapper
    return cls
