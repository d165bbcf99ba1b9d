"""Blobs on their way, a chunk at a time, between threads that read and write and the HTTP client."""

import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

import anyio
import anyio.to_thread
import httpx

from pipeline.registry.client import Client
from pipeline.registry.faults import Asked, translated
from pipeline.registry.manifest import Descriptor

_CHUNK = 1 << 20


class Content(Protocol):
    """A blob that can be read as often as need be; some registries want its length before it."""

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
    """The content of a blob on its way; `read` returns b"" at its end.

    Args:
        client: of the repository.
        asked: for the sentences.
        blob: which.
        limit: seconds that all of it may take.
    """

    def __init__(self, client: Client, asked: Asked, blob: Descriptor, limit: float) -> None:
        self._client, self._asked, self._blob, self._limit = client, asked, blob, limit
        self._ends = 0.0
        self._opened = contextlib.AsyncExitStack()
        self._chunks: AsyncIterator[bytes] | None = None

    async def read(self) -> bytes:
        """Return the next bytes."""
        self._ends = self._ends or anyio.current_time() + self._limit
        with translated(self._asked), anyio.fail_after(self._ends - anyio.current_time()):
            if self._chunks is None:
                self._chunks = await self._open()
            return await anext(self._chunks, b"")

    async def aclose(self) -> None:
        """Break the download off, or end it."""
        with contextlib.suppress(httpx.HTTPError):
            await self._opened.aclose()

    async def _open(self) -> AsyncIterator[bytes]:
        response = await self._opened.enter_async_context(self._client.request("GET", f"blobs/{self._blob.digest}"))
        if response.status_code != HTTPStatus.OK:
            raise await self._client.refuse(response)
        return response.aiter_raw(_CHUNK)


def joined(largest: int, chunks: Iterable[bytes]) -> bytes:
    """Return chunks as one.

    Raises:
        ValueError: they have more bytes than allowed.
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
            # A thread that was left behind ends by itself, and closes what it reads.
            with contextlib.suppress(ValueError), anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(close)
