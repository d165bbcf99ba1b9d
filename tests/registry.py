"""A real registry: Debian's docker-registry on the loopback."""

import contextlib
import itertools
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def running(directory: Path, auth: str = "", http: str = "", blobs: Path | None = None) -> Iterator[str]:
    """A registry for the time of a block: its host and port.

    Args:
        directory: for its configuration, its log, and its blobs.
        auth: the section of its configuration that says who may log in.
        http: further keys of its section http, each after a comma.
        blobs: where its blobs are, when elsewhere.
    """
    address = host_service()
    config = directory / "registry.yml"
    storage = f"storage: {{filesystem: {{rootdirectory: {blobs or directory / 'blobs'}}}}}\n"
    config.write_text(f"version: 0.1\n{storage}http: {{addr: '{address}'{http}}}\n{auth}")
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(["docker-registry", "serve", str(config)], stdout=log, stderr=log)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(address.partition(":")[2]))):
                break
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait()


def _free_addresses(count: int) -> tuple[str, ...]:
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in held:
            each.bind(("127.0.0.1", 0))
        return tuple(f"127.0.0.1:{each.getsockname()[1]}" for each in held)


#: Where the services of these tests listen, by turns: engines are told at their start, so that steps reach them too.
HOST_SERVICES = _free_addresses(24)
_TURNS = itertools.count()


def host_service() -> str:
    """Return a host and port that steps of the tests' engine reach, and where nothing listens."""
    for turn in itertools.islice(_TURNS, len(HOST_SERVICES)):
        address = HOST_SERVICES[turn % len(HOST_SERVICES)]
        with contextlib.suppress(OSError), socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(("127.0.0.1", int(address.partition(":")[2])))
            return address
    raise AssertionError("every address of HOST_SERVICES is taken")


def free_address() -> str:
    """Return a host and port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"
