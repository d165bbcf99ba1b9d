"""Running independent work side by side, within what the engine can take."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

import anyio
import dagger
from dagger.client._session import ClientSession, SharedConnection

T = TypeVar("T")
U = TypeVar("U")

_limiters: "WeakKeyDictionary[ClientSession, anyio.CapacityLimiter]" = WeakKeyDictionary()


async def concurrently(jobs: Iterable[Callable[[], Awaitable[T]]]) -> list[T]:
    """Run jobs side by side and return their results in the jobs' order.

    The first error ends the others and is raised as it is: inside anyio's group of exceptions neither
    the command line nor Dagger would show its sentence.
    """
    listed = list(jobs)
    results: dict[int, T] = {}
    errors: list[Exception] = []

    async def run(place: int, job: Callable[[], Awaitable[T]]) -> None:
        try:
            results[place] = await job()
        except Exception as error:
            errors.append(error)
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for place, job in enumerate(listed):
            group.start_soon(run, place, job)
    if errors:
        raise errors[0]
    return [results[place] for place in range(len(listed))]


class Shared(Generic[T]):
    """A result that several jobs ask for and that one call makes, when the first of them asks.

    Args:
        call: makes it; what it raises, each that asks gets.
    """

    def __init__(self, call: Callable[[], Awaitable[T]]) -> None:
        self._call, self._lock = call, anyio.Lock()
        self._results: list[T] = []
        self._errors: list[Exception] = []

    async def get(self) -> T:
        """Return the result."""
        async with self._lock:
            if not (self._results or self._errors):
                try:
                    self._results.append(await self._call())
                except Exception as error:
                    self._errors.append(error)
        if self._errors:
            raise self._errors[0]
        return self._results[0]


async def both(first: Callable[[], Awaitable[T]], second: Callable[[], Awaitable[U]]) -> tuple[T, U]:
    """Run two jobs of different kinds side by side, as `concurrently` does."""
    jobs: list[Callable[[], Awaitable[Any]]] = [first, second]
    one, two = await concurrently(jobs)
    return one, two


def bound_requests(limit: int) -> None:
    """Bound how many requests this process has under way at the engine at one moment.

    Dagger's engine starts whatever it is asked for, and the SDK drops all requests when one cannot connect within ten
    seconds. The bound lies where the SDK sends a query. What its arguments need has been asked for by then, so that no
    request that holds a place waits for another one.

    Args:
        limit: the number of requests; the last call's holds.
    """
    try:
        session = SharedConnection().session
    except dagger.ClientConnectionError:
        return  # there is no engine, as for what only asks registries
    if session in _limiters:
        _limiters[session].total_tokens = limit
        return
    limiter = _limiters[session] = anyio.CapacityLimiter(limit)
    execute = session.execute

    async def bounded(query: Any) -> Any:
        async with limiter:
            return await execute(query)

    session.execute = bounded  # type: ignore[method-assign]
