"""Functions of the module whose results are never kept."""

from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

from dagger import function

from pipeline.hints import without_defaults

P = ParamSpec("P")
R = TypeVar("R")


def fresh(method: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Expose a function whose result is never kept: it depends on the day or the network.

    The SDK takes `cache` and its overloads do not declare it: https://github.com/dagger/dagger/pull/11571
    """
    undeclared: dict[str, Any] = {"cache": "never"}
    registered: Callable[P, Awaitable[R]] = function(without_defaults(method), **undeclared)
    return registered
