"""Lists that a registry sends in pages: tags of a repository, and names of repositories.

Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#listing-tags
"""

import re
from http import HTTPStatus

import httpx

from pipeline.registry.body import read_body
from pipeline.registry.client import Client
from pipeline.registry.faults import Endpoint, malformed
from pipeline.registry.manifest import LARGEST_DOCUMENT
from pipeline.strict import parse_object

#: Limits on a list, which a hostile registry could make endless; registries return 100 to 1,000 entries a page.
_MOST_PAGES, _MOST_ENTRIES = 1_000, 100_000


async def read_list(
    client: Client, endpoint: Endpoint, target: str, key: str, entry: re.Pattern[str]
) -> frozenset[str]:
    """Return all entries of a list; none if the registry does not have it.

    Args:
        client: sends the requests.
        endpoint: the registry, for errors.
        target: the path of the list below the client's repository, or an absolute path.
        key: the field of the document that holds the entries.
        entry: what each of them must match.

    Raises:
        RegistryError: the registry refuses, or its list does not end.
        ValueError: an entry is malformed.
    """
    found: set[str] = set()
    visited: set[httpx.URL] = set()
    page: str | httpx.URL = target
    for _ in range(_MOST_PAGES):
        async with client.request("GET", page) as response:
            if response.status_code == HTTPStatus.NOT_FOUND:
                return frozenset(found)
            if response.status_code != HTTPStatus.OK:
                raise await client.refuse(response)
            found.update(_entries(await read_body(response, LARGEST_DOCUMENT), key, entry))
            following = client.next_page(response)
        if following is None:
            return frozenset(found)
        if following in visited or len(found) > _MOST_ENTRIES:
            break
        visited.add(following)
        page = following
    raise malformed(endpoint, f"its list of {key} does not end")


def _entries(body: bytes, key: str, entry: re.Pattern[str]) -> list[str]:
    entries = parse_object(body, LARGEST_DOCUMENT).get(key)
    listed = [] if entries is None else entries
    if not isinstance(listed, list) or not all(isinstance(one, str) and entry.fullmatch(one) for one in listed):
        raise ValueError(f"its {key} are not a list of {key}")
    return listed
