"""One repository of a registry: manifests as bytes, blobs as streams.

The API is https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md. What blocks does so in threads, and
nothing holds a blob in memory. Every operation may be repeated, so each is retried as a whole.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar

import anyio.to_thread
import dxf.exceptions
import requests
import tenacity

from pipeline.errors import RegistryError
from pipeline.registry.access import Access
from pipeline.registry.address import Address
from pipeline.registry.client import Client
from pipeline.registry.faults import Asked, answer, translated
from pipeline.registry.manifest import LARGEST_DOCUMENT, Descriptor, Manifest
from pipeline.strict import object_of, parse_json

T = TypeVar("T")

_CHUNK = 1 << 20
_log = logging.getLogger(__name__)


class Content(Protocol):
    """A blob that can be read as often as need be; some registries want its length before it."""

    def __iter__(self) -> Iterator[bytes]:
        """Read it from its start."""

    def __len__(self) -> int:
        """Return its size in bytes."""


class Repository:
    """One repository of a registry.

    Args:
        address: of the registry.
        name: of the image.
        access: how to reach it.
        plain_http: whether the registry speaks no TLS.
    """

    def __init__(self, address: Address, name: str, access: Access, *, plain_http: bool) -> None:
        self.address, self.name, self.path = address, name, address.repository(name)
        self._patience = access.patience
        self._asked = Asked(address.host, self.path, access.username)
        self._client = Client(address, self.path, access, plain_http=plain_http)
        # A client answers a 401 once: with a second call beside it, one of them would take it for a refusal.
        self._one_call = threading.Lock()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    async def tags(self) -> frozenset[str]:
        """Return the tags; none where there is no repository yet."""
        found: Iterable[str] | None = await self._retried(partial(_or_none, self._client.list_aliases))
        return frozenset(found or ())

    async def manifest(self, reference: str) -> Manifest | None:
        """Return what a tag or digest names; None where there is nothing.

        Raises:
            RegistryError: the registry refuses, or answers a digest with other content.
        """
        return await self._retried(partial(_or_none, partial(self._read_manifest, reference)))

    async def document(self, blob: Descriptor) -> Mapping[str, Any]:
        """Return a configuration."""
        return await self.consume(blob, _read_document)

    async def consume(self, blob: Descriptor, reader: Callable[[Iterable[bytes]], T]) -> T:
        """Give a blob's content to a function that runs in a thread, and again from the start after a fault.

        Returns:
            What the function returned.
        """
        return await self._retried(lambda: reader(self.stream(blob)))

    async def has(self, blob: Descriptor) -> bool:
        """Tell whether a blob is there, in its full size."""
        return await self._retried(partial(_or_none, partial(self._client.blob_size, blob.digest))) == blob.size

    async def mount(self, blob: Descriptor, source: "Repository") -> bool:
        """Have a blob of another repository here as well, without sending it; False where that is not to be had."""
        return await self._retried(partial(self._mount, blob, source))

    async def push_blob(self, blob: Descriptor, content: Content) -> None:
        """Send a blob."""
        send = partial(self._client.push_blob, data=content, digest=blob.digest, check_exists=False)
        await self._retried(send)

    async def push_manifest(self, reference: str, manifest: Manifest) -> None:
        """Put a manifest under a tag, or under its digest and so under no tag."""
        # The client declares a str, and sends bytes as they are.
        raw: Any = manifest.raw
        await self._retried(partial(self._client.set_manifest, reference, raw))

    def stream(self, blob: Descriptor) -> Iterable[bytes]:
        """Yield a blob's content, in a thread; what is not its digest's content raises at its end."""
        pull = partial(self._client.pull_blob, blob.digest, chunk_size=_CHUNK)
        chunks: Iterator[bytes] = iter(self._translated(pull))  # type: ignore[arg-type]  # no size was asked for
        while chunk := self._translated(partial(next, chunks, b"")):
            yield chunk

    def _read_manifest(self, reference: str) -> Manifest:
        response = self._client.get_manifest_and_response(reference)[1]
        manifest = Manifest(response.content, response.headers.get("Content-Type", ""))
        if reference.startswith("sha256:") and manifest.digest != reference:
            raise RegistryError(
                f"The registry {self.address.host} answers {self.path}@{reference} with the content of "
                f"{manifest.digest}; have its storage and the proxies before it checked.",
                passing=True,
            )
        return manifest

    def _mount(self, blob: Descriptor, source: "Repository") -> bool:
        try:
            self._client.mount_blob(source.path, blob.digest)
        except dxf.exceptions.DXFMountFailed:
            return False
        except requests.exceptions.HTTPError as error:
            # Who may not read the other repository sends the blob.
            if answer(error).status_code in (requests.codes.forbidden, requests.codes.not_found):
                return False
            raise
        return True

    def _translated(self, call: Callable[[], T]) -> T:
        return translated(self._asked, call)

    async def _retried(self, call: Callable[[], T]) -> T:
        retrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(self._patience.attempts),
            wait=self._wait,
            retry=tenacity.retry_if_exception(lambda error: isinstance(error, RegistryError) and error.passing),
            before_sleep=self._say,
            reraise=True,
        )
        # A cancelled run does not wait for a blob that is on its way.
        return await retrying(partial(anyio.to_thread.run_sync, partial(self._alone, call), abandon_on_cancel=True))

    def _alone(self, call: Callable[[], T]) -> T:
        with self._one_call:
            return self._translated(call)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        backoff = tenacity.wait_random_exponential(self._patience.first_wait, self._patience.longest_wait)
        return max(backoff(state), min(_fault(state).retry_after, self._patience.longest_wait))

    def _say(self, state: tenacity.RetryCallState) -> None:
        wait = state.next_action.sleep if state.next_action else 0.0
        _log.warning("%s: attempt %d failed, next in %.1f s: %s", self.name, state.attempt_number, wait, _fault(state))


def _fault(state: tenacity.RetryCallState) -> RegistryError:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, RegistryError) else RegistryError("")


def _or_none(call: Callable[[], T]) -> T | None:
    try:
        return call()
    except requests.exceptions.HTTPError as error:
        if answer(error).status_code == requests.codes.not_found:
            return None
        raise


def _read_document(chunks: Iterable[bytes]) -> Mapping[str, Any]:
    read = b""
    for chunk in chunks:
        read += chunk
        if len(read) > LARGEST_DOCUMENT:
            raise ValueError("a document of more than 4 MiB")
    return dict(object_of(parse_json(read)))
