"""Requests that are made again after a fault that passes, each within its time."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import tenacity

from pipeline.errors import RegistryError
from pipeline.registry.access import Patience
from pipeline.registry.faults import Asked, translated

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Attempts:
    """Makes calls of one repository, again where that is worth it.

    Args:
        asked: for the sentences.
        patience: how often, and for how long.
    """

    def __init__(self, asked: Asked, patience: Patience) -> None:
        self._asked, self._patience = asked, patience

    async def once(self, call: Callable[[], Awaitable[T]], size: int = 0) -> T:
        """Make a call within its time.

        Args:
            call: of the client.
            size: bytes of the blob that travels; 0 where none does.

        Raises:
            RegistryError: the registry refuses, or does not answer in time.
        """
        with translated(self._asked), anyio.fail_after(self._patience.limit(size)):
            return await call()

    async def several(self, call: Callable[[], Awaitable[T]], size: int = 0) -> T:
        """Make a call, and again after a fault that passes.

        Args:
            call: of the client; it may be made again.
            size: bytes of the blob that travels; 0 where none does.

        Raises:
            RegistryError: the registry refuses, or did not answer often enough.
        """
        retrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(self._patience.attempts),
            wait=self._wait,
            retry=tenacity.retry_if_exception(lambda error: isinstance(error, RegistryError) and error.passing),
            before_sleep=self._warn,
            reraise=True,
        )
        return await retrying(self.once, call, size)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        backoff = tenacity.wait_random_exponential(self._patience.first_wait, self._patience.longest_wait)
        return max(backoff(state), min(_fault(state).retry_after, self._patience.longest_wait))

    def _warn(self, state: tenacity.RetryCallState) -> None:
        wait = state.next_action.sleep if state.next_action else 0.0
        name = self._asked.repository.rpartition("/")[2]
        _log.warning("%s: attempt %d failed, next in %.1f s: %s", name, state.attempt_number, wait, _fault(state))


def _fault(state: tenacity.RetryCallState) -> RegistryError:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, RegistryError) else RegistryError("")
