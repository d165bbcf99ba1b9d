"""Running independent work side by side."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Generic, TypeVar

import anyio

T = TypeVar("T")
U = TypeVar("U")


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
