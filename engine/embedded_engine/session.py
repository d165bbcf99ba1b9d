"""Starts the engine beside a client, as the SDK starts `dagger session`."""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded_engine.host.errors import EngineError, HostMissing
from embedded_engine.host.namespace import ids_of, namespaces, refused
from embedded_engine.host.peers import Callers, answer
from embedded_engine.host.process import kill, python, run, run_attached, spawn, stdin_ended
from embedded_engine.host.settings import default_store, environment_with

#: Seconds for an engine to stop its steps and clean up.
STOP_TIMEOUT = 10.0
#: The default limit of a store in bytes.
QUOTA = 20 * 10**9

Event = dict[str, Any]


@dataclass(frozen=True)
class Session:
    """The address of an engine for clients: DAGGER_SESSION_PORT and DAGGER_SESSION_TOKEN."""

    port: int
    token: str


@contextlib.asynccontextmanager
async def open_session(
    *,
    store: Path | None = None,
    quota: int | None = None,
    host_services: Sequence[str] = (),
    on_event: Callable[[Event], None] | None = None,
) -> AsyncIterator[Session]:
    """Run an engine for the duration of a block.

    Args:
        store: the directory that keeps images and steps; by default the user's own.
        quota: the bytes that the store keeps when the session ends, 0 for no limit; by default QUOTA.
        host_services: HOST:PORT of each service on this machine's loopback interface that steps can reach, at the same
            address.
        on_event: called with each progress event (host/events.py).

    Raises:
        BadInput: a service is not on the loopback interface.
        HostMissing: a program is missing.
        NotPermitted: this user may not create the engine's namespaces.
        StoreUnusable: the store cannot be opened.
        EngineError: the engine could not start.
    """
    async with contextlib.AsyncExitStack() as running:
        async with namespaces() as prefix:
            words = [
                # Only known here, since every user is root in the engine's namespaces.
                f"--store={store or default_store()}",
                f"--quota={QUOTA if quota is None else quota}",
                *(f"--host-service={one}" for one in host_services),
            ]
            process, events, asking = await _spawn(prefix, words, on_event)
            running.callback(asking.close)
            readers = [events]
            running.push_async_callback(lambda: asyncio.shield(_stop(process, readers)))
            session = await _greeting(process)
        readers.append(asyncio.ensure_future(_drain(process)))
        readers.append(asyncio.ensure_future(answer(asking, Callers(session.port, ids_of(process.pid)))))
        yield session


async def _spawn(
    prefix: Sequence[str], words: Sequence[str], on_event: Callable[[Event], None] | None
) -> "tuple[asyncio.subprocess.Process, asyncio.Future[None], socket.socket]":
    read_end, write_end = os.pipe()
    own, asking = socket.socketpair()
    descriptors = [write_end, asking.fileno()]
    argv = [*prefix, *python("embedded_engine"), *words]
    argv += [f"--events-fd={write_end}", f"--callers-fd={asking.fileno()}"]
    try:
        process = await spawn(argv, stdin=asyncio.subprocess.PIPE, pass_fds=descriptors, new_session=True)
    finally:
        os.close(write_end)
        asking.close()
    return process, asyncio.ensure_future(_events(read_end, on_event)), own


async def tend(words: Sequence[str], *, store: Path | None = None) -> dict[str, Any]:
    """Maintain a store without a session, in the namespaces that own its files.

    Args:
        words: the arguments of `python -m embedded_engine.store.cache`.
        store: the directory; by default the user's own.

    Returns:
        The command's output.

    Raises:
        EngineError: the command failed.
    """
    where = f"--store={store or default_store()}"
    async with namespaces() as prefix:
        done = await run([*prefix, *python("embedded_engine.store.cache"), where, *words], check=False)
    if done.returncode:
        raise _start_error(done.stderr)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


async def _greeting(process: asyncio.subprocess.Process) -> Session:
    assert process.stdout and process.stderr  # noqa: S101  both are pipes
    line = await process.stdout.readline()
    if line:
        answer = json.loads(line)
        return Session(port=answer["port"], token=answer["session_token"])
    output = (await process.stderr.read()).decode(errors="replace").strip()
    await process.wait()
    raise _start_error(output)


def _start_error(output: str) -> EngineError:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        answer = json.loads(output.splitlines()[-1])
        kind = {cls.code: cls for cls in _classes(EngineError)}.get(answer["code"], EngineError)
        error = EngineError.__new__(kind)
        Exception.__init__(error, answer["message"])
        return error
    if any(name in output for name in ("unshare", "nsenter")) and ("not permitted" in output or "denied" in output):
        return refused(output)
    if "unshare" in output:
        return HostMissing(f"The embedded engine cannot start here: {output}; it needs util-linux 2.32 or newer.")
    return EngineError(f"The embedded engine did not start: {output or 'it printed nothing'}")


def _classes(root: type[EngineError]) -> list[type[EngineError]]:
    return [root, *(cls for child in root.__subclasses__() for cls in _classes(child))]


async def _events(read_end: int, on_event: Callable[[Event], None] | None) -> None:
    loop = asyncio.get_running_loop()
    stream = asyncio.StreamReader(limit=2**22)
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(read_end, "rb", buffering=0)
    )
    try:
        while line := await stream.readline():
            if on_event is not None:
                on_event(json.loads(line))
    finally:
        transport.close()


async def _drain(process: asyncio.subprocess.Process) -> None:
    """Keep the engine from blocking on a full pipe; everything important arrives as events and answers."""
    assert process.stderr  # noqa: S101  it is a pipe
    while await process.stderr.read(1 << 16):
        pass


async def _stop(process: asyncio.subprocess.Process, readers: "Sequence[asyncio.Future[None]]") -> None:
    assert process.stdin  # noqa: S101  it is a pipe
    process.stdin.close()
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(process.wait(), STOP_TIMEOUT)
    await kill(process)
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.gather(*readers), 1)
    # Processes that outlive a killed engine keep its pipes open; asyncio complains of these when the loop has ended.
    process._transport.close()  # type: ignore[attr-defined]


def main() -> int:
    """Run an engine for the duration of a command, or print its address and run it until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m embedded_engine.session", description=main.__doc__)
    parser.add_argument("--store", type=Path, help="the directory that keeps images and steps")
    parser.add_argument(
        "--host-service",
        action="append",
        default=[],
        metavar="HOST:PORT",
        help="a service of this machine's loopback that steps reach at the same address; may be given again",
    )
    parser.add_argument(
        "command",
        nargs=argparse.REMAINDER,
        help="a program that finds the engine by DAGGER_SESSION_PORT and DAGGER_SESSION_TOKEN, and its arguments",
    )
    given = parser.parse_args()
    try:
        return asyncio.run(_serve(given.store, given.host_service, given.command))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except EngineError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2


async def _serve(store: Path | None, host_services: Sequence[str], command: Sequence[str]) -> int:
    async with open_session(store=store, host_services=host_services) as session:
        if command:
            place = {"DAGGER_SESSION_PORT": str(session.port), "DAGGER_SESSION_TOKEN": session.token}
            return await run_attached(command, environment_with(place))
        print(json.dumps({"port": session.port, "session_token": session.token}), flush=True)
        await stdin_ended()
        return 0


if __name__ == "__main__":
    sys.exit(main())
