"""Answers every request with what it runs on."""

import json
import os
from typing import Any

import msgpack
import uvicorn

READINGS = [{"station": "north", "wind_m_s": 4.5}, {"station": "south", "wind_m_s": 5.25}]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the number of readings, whether MessagePack is compiled, and the uid."""
    if scope["type"] != "http":
        return
    readings = msgpack.unpackb(msgpack.packb(READINGS))
    compiled = msgpack.Packer.__module__ == "msgpack._cmsgpack"
    answer = {"readings": len(readings), "compiled": compiled, "uid": os.getuid()}
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


def main() -> None:
    """Serve, on the port that UVICORN_PORT names."""
    uvicorn.main(["weather.app:app", "--host", "0.0.0.0"])
