"""The body of an answer, of which no more is read than it may have."""

import httpx

from pipeline.registry.faults import LARGEST_ERROR, Refusal


async def read_body(response: httpx.Response, largest: int) -> bytes:
    """Return the body of an answer.

    Args:
        response: whose body is not read yet.
        largest: bytes that it may have.

    Raises:
        ValueError: it has more.
    """
    body = await _first_bytes(response, largest + 1)
    if len(body) > largest:
        raise ValueError(f"it has more than {largest} bytes")
    return body


async def read_refusal(response: httpx.Response) -> Refusal:
    """Return an answer that is not what was asked for, with the first bytes of its body."""
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
