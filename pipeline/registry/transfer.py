"""Transfers blobs in chunks between the HTTP client and threads that read and write."""

import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

import anyio
import anyio.to_thread
import httpx

from pipeline.registry.client import Client
from pipeline.registry.faults import Endpoint, translated
from pipeline.registry.manifest import Descriptor

_CHUNK = 1 << 20


class Content(Protocol):
    """A blob that can be read repeatedly; some registries require its length in advance."""

    def __iter__(self) -> Iterator[bytes]:
        """Read it from its start."""

    def __len__(self) -> int:
        """Return its size in bytes."""


@dataclass(frozen=True)
class InMemory:
    """A small blob."""

    content: bytes

    def __len__(self) -> int:
        return len(self.content)

    def __iter__(self) -> Iterator[bytes]:
        return iter((self.content,))


class Download:
    """The download of a blob; `read` returns b"" at its end.

    Args:
        client: the repository's client.
        endpoint: named in errors.
        blob: the blob.
        limit: the timeout of the whole download in seconds.
    """

    def __init__(self, client: Client, endpoint: Endpoint, blob: Descriptor, limit: float) -> None:
        self._client, self._endpoint, self._blob, self._limit = client, endpoint, blob, limit
        self._ends = 0.0
        self._opened = contextlib.AsyncExitStack()
        self._chunks: AsyncIterator[bytes] | None = None

    async def read(self) -> bytes:
        """Return the next bytes."""
        self._ends = self._ends or anyio.current_time() + self._limit
        with translated(self._endpoint), anyio.fail_after(self._ends - anyio.current_time()):
            if self._chunks is None:
                self._chunks = await self._open()
            return await anext(self._chunks, b"")

    async def aclose(self) -> None:
        """End the download, complete or not."""
        with contextlib.suppress(httpx.HTTPError):
            await self._opened.aclose()

    async def _open(self) -> AsyncIterator[bytes]:
        response = await self._opened.enter_async_context(self._client.request("GET", f"blobs/{self._blob.digest}"))
        if response.status_code != HTTPStatus.OK:
            raise await self._client.refuse(response)
        return response.aiter_raw(_CHUNK)


def joined(largest: int, chunks: Iterable[bytes]) -> bytes:
    """Join chunks.

    Args:
        largest: the limit in bytes.
        chunks: the chunks.

    Raises:
        ValueError: the chunks exceed the limit.
    """
    read = bytearray()
    for chunk in chunks:
        read += chunk
        if len(read) > largest:
            raise ValueError(f"it has more than {largest} bytes")
    return bytes(read)


async def chunks_of(content: Content) -> AsyncIterator[bytes]:
    """Read a blob in threads."""
    iterator = iter(content)
    try:
        while chunk := await anyio.to_thread.run_sync(next, iterator, b"", abandon_on_cancel=True):
            yield chunk
    finally:
        if close := getattr(iterator, "close", None):
            # An abandoned thread ends by itself and closes its input.
            with contextlib.suppress(ValueError), anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(close)
