"""Fetches files over HTTP, each pinned by its checksum."""

import hashlib
import ssl
from pathlib import Path
from typing import Any

from embedded_engine.graph.nodes import Download
from embedded_engine.host.credentials import without_logins
from embedded_engine.host.errors import BadInput, DownloadFailed
from embedded_engine.host.settings import HostSettings
from embedded_engine.make.evaluator import Evaluator, builds

#: The most seconds for connecting, and between two pieces of an answer.
TIMEOUT = 30.0
TRIES = 3


@builds(Download)
async def download(evaluator: Evaluator, node: Download, directory: Path) -> dict[str, Any]:
    """Fetch a file, and keep it only if its checksum is right."""
    target = directory / "diff" / node.name
    with evaluator.events.step(f"download {node.url}"):
        found = await fetch(evaluator.host, node.url, target)
    if found != node.checksum:
        raise BadInput(
            f"'{node.url}' has the checksum {found}, and {node.checksum} was expected; "
            "do not use that file, and find out which of the two is wrong."
        )
    target.chmod(node.mode)
    return {}


async def fetch(host: HostSettings, url: str, target: Path) -> str:
    """Write the content of a URL to a file, and return its `sha256:…`.

    Raises:
        DownloadFailed: the server does not answer, or not with status 200.
        BadInput: the host's certificates cannot be read.
    """
    import httpx  # an engine without downloads starts faster without it

    try:
        context = ssl.create_default_context(cafile=str(host.bundle) if host.bundle else None)
    except OSError as error:
        raise BadInput(f"The certificates in {host.bundle} cannot be read ({error}); restore the file.") from None
    transport = httpx.AsyncHTTPTransport(verify=context, retries=TRIES)
    mounts = None if any(host.proxies) else {"all://": transport}
    try:
        async with (
            httpx.AsyncClient(verify=context, mounts=mounts, timeout=TIMEOUT, follow_redirects=True) as client,
            client.stream("GET", url) as answer,
        ):
            answer.raise_for_status()
            digest = hashlib.sha256()
            with target.open("wb") as file:
                async for piece in answer.aiter_bytes(1 << 20):
                    digest.update(piece)
                    file.write(piece)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:  # the end of a proxy's address
        why = without_logins(str(error).splitlines()[0]) if str(error) else type(error).__name__
        raise DownloadFailed(
            f"'{url}' cannot be fetched ({why}); check the address, the network and the proxy."
        ) from None
    return f"sha256:{digest.hexdigest()}"
