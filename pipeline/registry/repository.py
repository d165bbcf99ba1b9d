"""One repository of a registry: manifests as bytes, blobs as streams.

The API is https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md. No blob is held in memory, and every
response is limited in size and time. Every operation is idempotent, so it is retried as a whole.
"""

import contextlib
import hashlib
import logging
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlencode

import anyio.from_thread
import anyio.to_thread
import httpx

from pipeline.errors import RegistryError
from pipeline.registry.access import Access
from pipeline.registry.address import DIGEST, TAG, Address
from pipeline.registry.attempts import Attempts
from pipeline.registry.body import read_body
from pipeline.registry.client import Client
from pipeline.registry.faults import Endpoint, damaged, malformed, translated
from pipeline.registry.manifest import IMAGE, IMAGES, INDEX, INDEXES, LARGEST_DOCUMENT, Descriptor, Manifest, digest_of
from pipeline.registry.pages import read_list
from pipeline.registry.referrer import MOST_REFERRERS, Referrer, referrers_of
from pipeline.registry.transfer import Content, Download, chunks_of, joined
from pipeline.strict import parse_object

T = TypeVar("T")

_ACCEPT = {"Accept": ", ".join((*IMAGES, *INDEXES))}
#: The largest layer in bytes; the largest published images have layers of a few GiB.
_LARGEST_BLOB = 16 << 30
#: Limits on a list of tags, which a hostile registry could make endless; registries return 100 to 1,000 a page.
_MOST_PAGES, _MOST_TAGS = 1_000, 100_000
#: The answers of registries without the Referrers API; the specification wants the first.
_NO_REFERRERS = frozenset(
    {HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_ACCEPTABLE}
)
_log = logging.getLogger(__name__)


class Repository:
    """One repository of a registry.

    Args:
        http: connections to the registry.
        address: the registry.
        name: the image's name.
        access: the login, certificates and timeouts.
        plain_http: whether the registry speaks plain HTTP.
    """

    def __init__(
        self, http: httpx.AsyncClient, address: Address, name: str, access: Access, *, plain_http: bool
    ) -> None:
        self.address, self.name, self.path = address, name, address.repository(name)
        self._patience = access.patience
        self._endpoint = Endpoint(address.host, self.path, access.username)
        self._attempts = Attempts(self._endpoint, self._patience)
        self._client = Client(http, address, self.path, access, plain_http=plain_http)

    async def tags(self) -> frozenset[str]:
        """Return the tags; none if the repository does not exist yet.

        Raises:
            RegistryError: the registry refuses, or its list does not end.
        """
        return await self._attempts.several(self._list_tags)

    async def manifest(self, reference: str) -> Manifest | None:
        """Return the manifest that a tag or digest names; None if there is none.

        Raises:
            RegistryError: the registry refuses, or sends other content than the digest's or an invalid manifest.
        """
        return await self._attempts.several(partial(self._read_manifest, reference))

    async def referrers(self, digest: str) -> tuple[Referrer, ...]:
        """Return what refers to a manifest, as a registry lists it, by the API or else under the tag `sha256-<digest>`.

        Raises:
            RegistryError: the registry refuses, or its list is malformed or has too many entries.
        """
        found = await self._attempts.several(partial(self._list_referrers, digest))
        if found is not None:
            return found
        index = await self.manifest(digest.replace(":", "-"))
        with translated(self._endpoint):
            return referrers_of(index.document) if index else ()

    async def document(self, blob: Descriptor) -> Mapping[str, Any]:
        """Return an image's configuration.

        Raises:
            RegistryError: the blob is not valid JSON, or is too large.
        """
        self._require_size(blob, LARGEST_DOCUMENT)
        raw = await self.consume(blob, partial(joined, LARGEST_DOCUMENT))
        with translated(self._endpoint):
            return parse_object(raw, LARGEST_DOCUMENT)

    async def consume(self, blob: Descriptor, reader: Callable[[Iterable[bytes]], T]) -> T:
        """Pass a blob's content to a function in a thread, and again from the start after a transient error.

        Returns:
            The function's result.
        """
        self._require_size(blob, _LARGEST_BLOB)
        # A cancelled run does not wait for a blob in transfer.
        read = partial(anyio.to_thread.run_sync, partial(self._read, blob, reader), abandon_on_cancel=True)
        return await self._attempts.several(read, blob.size)

    async def has(self, blob: Descriptor) -> bool:
        """Return whether the registry has a blob in its full size; a refusal counts as no."""
        return await self._shortcut(partial(self._has, blob))

    async def mount(self, blob: Descriptor, source: "Repository") -> bool:
        """Mount a blob from another repository of the registry; return False if the registry does not."""
        return await self._shortcut(partial(self._mount, blob, source))

    async def push_blob(self, blob: Descriptor, content: Content) -> None:
        """Send a blob."""
        await self._attempts.several(partial(self._push_blob, blob, content), blob.size)

    async def push_manifest(self, reference: str, manifest: Manifest) -> None:
        """Push a manifest under a tag, or under its digest without a tag."""
        await self._attempts.several(partial(self._push_manifest, reference, manifest))

    def stream(self, blob: Descriptor) -> Generator[bytes, None, None]:
        """Yield a blob's content in a worker thread of anyio; raise at the end if it does not match the digest."""
        self._require_size(blob, _LARGEST_BLOB)
        download = Download(self._client, self._endpoint, blob, self._patience.limit(blob.size))
        hasher, size = hashlib.sha256(), 0
        try:
            while chunk := anyio.from_thread.run(download.read):
                hasher.update(chunk)
                size += len(chunk)
                if size > blob.size:
                    raise damaged(self._endpoint, blob.digest)
                yield chunk
        finally:
            anyio.from_thread.run(download.aclose)
        if f"sha256:{hasher.hexdigest()}" != blob.digest:
            raise damaged(self._endpoint, blob.digest)

    def _require_size(self, blob: Descriptor, largest: int) -> None:
        # The time that a blob may take depends on its size, which a manifest only claims.
        if blob.size > largest:
            raise malformed(self._endpoint, f"it has more than {largest} bytes: {blob.digest}")

    def _read(self, blob: Descriptor, reader: Callable[[Iterable[bytes]], T]) -> T:
        with contextlib.closing(self.stream(blob)) as chunks:
            return reader(chunks)

    async def _list_tags(self) -> frozenset[str]:
        return await read_list(self._client, self._endpoint, "tags/list", "tags", TAG)

    async def _list_referrers(self, digest: str) -> tuple[Referrer, ...] | None:
        """Return what refers to a manifest; None if the registry lacks this API."""
        found: tuple[Referrer, ...] = ()
        target: str | httpx.URL = f"referrers/{_named(digest)}"
        for _ in range(_MOST_PAGES):
            async with self._client.request("GET", target, headers={"Accept": INDEX}) as response:
                if response.status_code in _NO_REFERRERS:
                    return None
                await self._require(response, HTTPStatus.OK)
                found += referrers_of(parse_object(await read_body(response, LARGEST_DOCUMENT), LARGEST_DOCUMENT))
                following = self._client.next_page(response)
            if following is None:
                return found
            if len(found) > MOST_REFERRERS:
                break
            target = following
        raise malformed(self._endpoint, "its list of referrers does not end")

    async def _read_manifest(self, reference: str) -> Manifest | None:
        async with self._client.request("GET", f"manifests/{_named(reference)}", headers=_ACCEPT) as response:
            if response.status_code == HTTPStatus.NOT_FOUND:
                return None
            await self._require(response, HTTPStatus.OK)
            raw = await read_body(response, LARGEST_DOCUMENT)
            content_type = response.headers.get("Content-Type", "")
        if reference.startswith("sha256:") and digest_of(raw) != reference:
            raise RegistryError(
                f"The registry {self.address.host} sent the content of {digest_of(raw)} for {self.path}@{reference}; "
                "have its storage and the proxies before it checked.",
                passing=True,
            )
        # Later readers rely on this strict decoding.
        parse_object(raw, LARGEST_DOCUMENT)
        return Manifest(raw, content_type)

    async def _has(self, blob: Descriptor) -> bool:
        async with self._client.request("HEAD", f"blobs/{blob.digest}") as response:
            size = response.headers.get("Content-Length")
            return response.status_code == HTTPStatus.OK and size == str(blob.size)

    async def _mount(self, blob: Descriptor, source: "Repository") -> bool:
        target = f"blobs/uploads/?{urlencode({'mount': blob.digest, 'from': source.path})}"
        async with self._client.request("POST", target) as response:
            return response.status_code == HTTPStatus.CREATED

    async def _push_blob(self, blob: Descriptor, content: Content) -> None:
        async with self._client.request("POST", "blobs/uploads/") as response:
            await self._require(response, HTTPStatus.ACCEPTED)
            location = self._client.location(response).copy_merge_params({"digest": blob.digest})
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)}
        body = partial(chunks_of, content)
        async with self._client.request("PUT", location, headers=headers, body=body) as response:
            await self._require(response, HTTPStatus.CREATED)

    async def _push_manifest(self, reference: str, manifest: Manifest) -> None:
        media_type = parse_object(manifest.raw, LARGEST_DOCUMENT).get("mediaType", IMAGE)
        headers, target = {"Content-Type": str(media_type)}, f"manifests/{_named(reference)}"
        async with self._client.request("PUT", target, headers=headers, body=manifest.raw) as response:
            await self._require(response, HTTPStatus.CREATED)

    async def _require(self, response: httpx.Response, status: HTTPStatus) -> None:
        # Some registries answer 200, 202 or 204 where the specification says 201.
        if response.status_code != status and not (response.is_success and status == HTTPStatus.CREATED):
            raise await self._client.refuse(response)

    async def _shortcut(self, call: Callable[[], Awaitable[bool]]) -> bool:
        """Make a call that may save an upload; if it fails for any reason, the blob is uploaded."""
        try:
            return await self._attempts.once(call)
        except RegistryError as error:
            _log.debug("%s: a shortcut failed: %s", self.name, error)
            return False


def _named(reference: str) -> str:
    if TAG.fullmatch(reference) or DIGEST.fullmatch(reference):
        return reference
    raise RegistryError(f"{reference[:200]!r} is neither a tag nor a digest; use one of them to name an image.")
