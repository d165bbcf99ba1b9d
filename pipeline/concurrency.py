"""Runs independent work concurrently, within the limits of the engine."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

import anyio
import dagger
from dagger.client._session import ClientSession, SharedConnection

T = TypeVar("T")
U = TypeVar("U")

#: Jobs of one call that run at once. Jobs under way hold requests and answers, so memory would grow with the catalogue;
#: the engine starts few steps at once anyway.
AT_ONCE = 8

_limiters: "WeakKeyDictionary[ClientSession, anyio.CapacityLimiter]" = WeakKeyDictionary()


async def concurrently(jobs: Iterable[Callable[[], Awaitable[T]]]) -> list[T]:
    """Run jobs concurrently, AT_ONCE of them at a time, and return their results in the jobs' order.

    A job must not wait for a later one to begin; with `Shared`, the first that needs a result makes it.

    The first error cancels the other jobs and is raised by itself: inside anyio's exception group, neither the command
    line nor Dagger would show its sentence.
    """
    listed = list(jobs)
    results: dict[int, T] = {}
    errors: list[Exception] = []
    limiter = anyio.CapacityLimiter(AT_ONCE)

    async def run(place: int, job: Callable[[], Awaitable[T]]) -> None:
        try:
            async with limiter:
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
    """A result that several jobs share; the first job that needs it makes the call.

    Args:
        call: returns the result; its error is raised in every job.
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
    """Run two jobs with results of different types, as `concurrently` does."""
    jobs: list[Callable[[], Awaitable[Any]]] = [first, second]
    one, two = await concurrently(jobs)
    return one, two


def bound_requests(limit: int) -> None:
    """Limit the number of this process's simultaneous requests to the engine.

    Dagger's engine starts every request at once, and the SDK drops all requests if one cannot connect within ten
    seconds. The limit applies where the SDK sends a query. The SDK has resolved a query's arguments by then, so a
    request that counts never waits for another one.

    Args:
        limit: the number of requests; the last call wins.
    """
    try:
        session = SharedConnection().session
    except dagger.ClientConnectionError:
        return  # no engine is connected: the command only reads registries
    if session in _limiters:
        _limiters[session].total_tokens = limit
        return
    limiter = _limiters[session] = anyio.CapacityLimiter(limit)
    execute = session.execute

    async def bounded(query: Any) -> Any:
        async with limiter:
            return await execute(query)

    session.execute = bounded  # type: ignore[method-assign]
