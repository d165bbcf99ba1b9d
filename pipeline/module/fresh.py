"""Functions of the module whose results are never kept."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

from dagger import function

from pipeline.build.settings import Settings
from pipeline.concurrency import bound_requests
from pipeline.module.hints import without_defaults

P = ParamSpec("P")
R = TypeVar("R")


def fresh(method: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Expose a method of the main object: its result is never kept, since it depends on the day or the network.

    Its requests to the engine are bounded as the settings say.

    The SDK takes `cache` and its overloads do not declare it: https://github.com/dagger/dagger/pull/11571
    """

    @functools.wraps(method)
    async def bounded(*args: P.args, **kwargs: P.kwargs) -> R:
        main_object: Any = args[0]
        bound_requests(Settings(**main_object._given()).max_concurrent_requests)
        return await method(*args, **kwargs)

    undeclared: dict[str, Any] = {"cache": "never"}
    registered: Callable[P, Awaitable[R]] = function(without_defaults(bounded), **undeclared)
    return registered
