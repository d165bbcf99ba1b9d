"""Reads the bodies of responses, within limits."""

import httpx

from pipeline.registry.faults import LARGEST_ERROR, Refusal


async def read_body(response: httpx.Response, largest: int) -> bytes:
    """Return the body of a response.

    Args:
        response: a response whose body has not been read.
        largest: the limit in bytes.

    Raises:
        ValueError: the body is larger.
    """
    body = await _first_bytes(response, largest + 1)
    if len(body) > largest:
        raise ValueError(f"it has more than {largest} bytes")
    return body


async def read_refusal(response: httpx.Response) -> Refusal:
    """Return an unexpected response with the first bytes of its body."""
    try:
        body = await _first_bytes(response, LARGEST_ERROR)
    except httpx.HTTPError:
        body = b""
    return Refusal(response.status_code, body, response.headers.get("Retry-After", ""))


async def _first_bytes(response: httpx.Response, count: int) -> bytes:
    read = bytearray()
    async for chunk in response.aiter_raw():
        read += chunk
        if len(read) >= count:
            break
    return bytes(read[:count])
