"""Type hints that every version of Python reads alike.

On Python 3.10 `typing.get_type_hints` wraps the hint of a parameter whose default is None in `typing.Optional`
(https://docs.python.org/3.10/library/typing.html#typing.get_type_hints). Dagger's SDK reads hints with it: it then
loses the parameter's description, and beartype, which it asks about each hint, cannot check that form for all of the
SDK's classes. The wrappers of the module's functions have no defaults of their own, and so no such hint.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

C = TypeVar("C", bound=type)


def constructor_without_defaults(cls: C) -> C:
    """Replace the constructor of a class by one whose annotations can be read and whose defaults cannot."""
    constructor: Callable[..., None] = vars(cls)["__init__"]

    @functools.wraps(constructor)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        constructor(*args, **kwargs)

    target: Any = cls
    target.__init__ = wrapper
    return cls
