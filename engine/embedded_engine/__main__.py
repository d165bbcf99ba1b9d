"""The engine as a process: it prints its address, and serves until its standard input ends."""

import argparse
import asyncio
import json
import os
import secrets
import socket
import sys
from pathlib import Path

from embedded_engine.host.errors import BadInput, EngineError
from embedded_engine.host.events import Events
from embedded_engine.host.peers import Questions
from embedded_engine.host.process import PACKAGES, required, stdin_ended
from embedded_engine.host.relay import parse_services
from embedded_engine.host.settings import find_system_programs, natural, read_host
from embedded_engine.make.confinement import Confinement
from embedded_engine.make.runtime import session_ended
from embedded_engine.store.prune import prune
from embedded_engine.store.store import Store


def main() -> int:
    """Run a session; an error at the start goes to standard error as one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m embedded_engine", description=__doc__)
    parser.add_argument("--store", type=Path, help="the directory that keeps images and steps")
    parser.add_argument("--quota", type=natural, default=0, help="bytes that the store may keep; 0 for no limit")
    parser.add_argument("--events-fd", type=int, help="a file descriptor for progress, JSON lines")
    parser.add_argument("--callers-fd", type=int, required=True, help="a socket that answers who calls")
    parser.add_argument("--host-service", action="append", default=[], help="HOST:PORT of the loopback, for steps")
    given = parser.parse_args()
    os.umask(0o022)
    try:
        asyncio.run(session(given))
    except EngineError as error:
        print(json.dumps({"code": error.code, "message": str(error)}), file=sys.stderr)
        return 2
    except OSError as error:
        # For example a store below a file. Errors with a sentence of their own are handled above.
        message = f"{error.filename or given.store}: {error.strerror}; the embedded engine cannot start."
        print(json.dumps({"code": BadInput.code, "message": message}), file=sys.stderr)
        return 2
    return 0


async def session(given: argparse.Namespace) -> None:
    """Serve one client.

    Raises:
        BadInput: a service is not on the loopback interface.
        HostMissing: a program or the seccomp profile is missing.
        StoreUnusable: the store cannot be opened.
    """
    find_system_programs()
    required(PACKAGES)
    host = await read_host()
    confinement = Confinement((*host.services, *parse_services(given.host_service)))
    callers = Questions(given.callers_fd)
    store = Store(given.store or host.store)
    store.begin(session_ended)
    emptying = asyncio.ensure_future(store.empty_trash())
    try:
        listener = socket.create_server(("127.0.0.1", 0))
        token = secrets.token_hex(16)
        answer = {"port": listener.getsockname()[1], "session_token": token}
        # Clients can connect from here on; the imports below take time.
        print(json.dumps(answer), flush=True)
        confined = asyncio.ensure_future(confinement.networks.begin())
        await asyncio.sleep(0)
        from embedded_engine.api import Engine
        from embedded_engine.make.evaluator import Evaluator
        from embedded_engine.server import Server, serve

        cores = len(os.sched_getaffinity(0))
        evaluator = Evaluator(store, host, Events(given.events_fd), cores, confinement)
        await confined
        known = callers if confinement.networks.shared else None
        await serve(Server(Engine(evaluator, Path.cwd()), token, known), listener, stdin_ended())
        await evaluator.close()
    finally:
        await asyncio.gather(emptying, confinement.networks.close(), return_exceptions=True)
        # Nothing else does this for a step that was cancelled while its runc started.
        await asyncio.to_thread(session_ended, store.session.name)
        await store.end()
    if given.quota and store.changed:
        await prune(store, keep=given.quota)


if __name__ == "__main__":
    sys.exit(main())
