"""Retries after transient errors, each attempt within its timeout."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import tenacity

from pipeline.errors import RegistryError
from pipeline.registry.access import Patience
from pipeline.registry.faults import Endpoint, translated

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Attempts:
    """Makes one repository's calls, and retries them after transient errors.

    Args:
        endpoint: named in errors.
        patience: timeouts and the number of attempts.
    """

    def __init__(self, endpoint: Endpoint, patience: Patience) -> None:
        self._endpoint, self._patience = endpoint, patience

    async def once(self, call: Callable[[], Awaitable[T]], size: int = 0) -> T:
        """Make a call within its timeout.

        Args:
            call: a call of the client.
            size: the size of the transferred blob in bytes; 0 for calls without one.

        Raises:
            RegistryError: the registry refuses, or does not answer in time.
        """
        with translated(self._endpoint), anyio.fail_after(self._patience.limit(size)):
            return await call()

    async def several(self, call: Callable[[], Awaitable[T]], size: int = 0) -> T:
        """Make a call, and retry it after transient errors.

        Args:
            call: a call of the client that may be repeated.
            size: the size of the transferred blob in bytes; 0 for calls without one.

        Raises:
            RegistryError: the registry refuses, or every attempt failed.
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
        name = self._endpoint.repository.rpartition("/")[2]
        _log.warning("%s: attempt %d failed, next in %.1f s: %s", name, state.attempt_number, wait, _fault(state))


def _fault(state: tenacity.RetryCallState) -> RegistryError:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, RegistryError) else RegistryError("")
