"""An image of one registry as a candidate for another; its blobs are streamed, not stored."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial

from pipeline.catalogue.lookup import by_name
from pipeline.registry.address import Address
from pipeline.registry.manifest import Descriptor
from pipeline.registry.repository import Repository
from pipeline.release.content import ImageContent
from pipeline.release.published import Published
from pipeline.release.push import Candidate


def copy_of(image: Published, to: Address) -> Candidate:
    """Return a published image as a candidate for pushing.

    Args:
        image: the published image.
        to: the target, which may be the same registry.
    """
    repository, same_host = image.repository, image.repository.address.host == to.host
    parent = by_name()[repository.name].parent
    nearby = repository if same_host else None
    return Candidate(repository.name, parent, image.manifest.digest, partial(_content, image), nearby)


@contextlib.asynccontextmanager
async def _content(image: Published) -> AsyncIterator[ImageContent]:
    blobs = {blob.digest: _Remote(image.repository, blob) for blob in image.manifest.blobs}
    yield ImageContent(image.manifest, blobs)


@dataclass(frozen=True)
class _Remote:
    """A blob in another registry."""

    repository: Repository
    blob: Descriptor

    def __len__(self) -> int:
        return self.blob.size

    def __iter__(self) -> Iterator[bytes]:
        return self.repository.stream(self.blob)
