"""The command line as a process of its own, which starts where Python has imported the program already.

The import takes a second, and hundreds of tests begin with it. A server imports once, and each run is a fork of it.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_STREAMS = 3
#: What Python reads before it imports anything, so that a fork would not.
_OF_THE_INTERPRETER = ("PYTHONIOENCODING", "LC_ALL", "LANG")


def run(words: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run `python -m pipeline` with nothing on standard input, and return what it wrote and its exit code.

    Args:
        words: its arguments.
        cwd: the working directory.
        environment: all its variables.
    """
    if any(environment.get(name) != os.environ.get(name) for name in _OF_THE_INTERPRETER):
        argv = [sys.executable, "-m", "pipeline", *words]
        return subprocess.run(
            argv, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    request = json.dumps([list(words), str(cwd), dict(environment)]).encode()
    with contextlib.ExitStack() as stack:
        stdin = stack.enter_context(Path(os.devnull).open("rb"))
        outputs = [stack.enter_context(tempfile.TemporaryFile()) for _ in ("stdout", "stderr")]
        server = stack.enter_context(socket.socket(socket.AF_UNIX))
        server.connect(SERVER.address())
        socket.send_fds(server, [b"\0"], [stream.fileno() for stream in (stdin, *outputs)])
        server.sendall(request)
        server.shutdown(socket.SHUT_WR)
        code = int(server.makefile().read())
        texts = []
        for stream in outputs:
            stream.seek(0)
            texts.append(stream.read().decode())
    return subprocess.CompletedProcess(list(words), code, *texts)


class _Server:
    """A server that starts with the first run.

    It ends with this process, or when it is stopped.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def address(self) -> str:
        """Return the server's address, an abstract one of unix(7)."""
        name = f"ska-images-program-{os.getpid()}"
        with self._lock:
            if self._process is None:
                argv = [sys.executable, "-m", "tests.program", name]
                self._process = subprocess.Popen(argv, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                assert self._process.stdout
                assert self._process.stdout.readline() == b"ready\n"
        return f"\0{name}"

    def stop(self) -> None:
        """End the server."""
        if self._process:
            self._process.communicate()
            self._process = None


SERVER = _Server()


def _serve(name: str) -> None:
    from pipeline.cli import functions  # noqa: F401  what takes the time

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{name}")
        listener.listen()
        print("ready", flush=True)
        threading.Thread(target=_end_with_the_parent, daemon=True).start()
        while True:
            client, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _answer(client)
            client.close()


def _end_with_the_parent() -> None:
    sys.stdin.read()
    os._exit(0)


def _answer(client: socket.socket) -> None:
    """Run one command in a child, and send its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, descriptors, _, _ = socket.recv_fds(client, 1, _STREAMS)
    words, cwd, environment = json.loads(client.makefile("rb").read())
    if child := os.fork():
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        client.sendall(str(code).encode())
        os._exit(0)
    client.close()
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["ska-images", *words]
    from pipeline.__main__ import main

    main()


if __name__ == "__main__":
    _serve(sys.argv[1])
