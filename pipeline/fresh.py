"""Functions of the module whose results are never kept."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

from dagger import function

P = ParamSpec("P")
R = TypeVar("R")


def fresh(method: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Expose a function whose result is never kept: it depends on the day or the network.

    The SDK takes `cache` and its overloads do not declare it: https://github.com/dagger/dagger/pull/11571
    """

    # The wrapper has the annotations and not the defaults: on Python 3.10 a default of None wraps an argument's
    # type once more when it is read, and its description is lost.
    @functools.wraps(method)
    async def exposed(*args: P.args, **kwargs: P.kwargs) -> R:
        return await method(*args, **kwargs)

    undeclared: dict[str, Any] = {"cache": "never"}
    registered: Callable[P, Awaitable[R]] = function(exposed, **undeclared)
    return registered
