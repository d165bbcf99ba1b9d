"""Functions of the module whose results are never cached."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from dagger import function

from pipeline.build.settings import Settings
from pipeline.concurrency import bound_requests
from pipeline.module.grouping import spread

R = TypeVar("R")


def fresh(method: Callable[..., Awaitable[R]]) -> Callable[..., Awaitable[R]]:
    """Expose a method of the main object whose result is never cached, since it depends on the day or the network.

    Its requests to the engine are bounded as the settings say, and its groups of parameters are spread.

    The SDK takes `cache` and its overloads do not declare it: https://github.com/dagger/dagger/pull/11571
    """
    spreading = spread(method)

    @functools.wraps(spreading)
    async def bounded(self: Any, **given: Any) -> R:
        bound_requests(Settings(**self._given()).max_concurrent_requests)
        return await spreading(self, **given)

    undeclared: dict[str, Any] = {"cache": "never"}
    registered: Callable[..., Awaitable[R]] = function(bounded, **undeclared)
    return registered
