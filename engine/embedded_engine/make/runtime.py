"""Running a step: a bundle, runc, and what it prints."""

import asyncio
import contextlib
import io
import json
import secrets
import shutil
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from embedded_engine.host.errors import EngineError, NotPermitted
from embedded_engine.host.events import Step
from embedded_engine.host.process import kill, spawn
from embedded_engine.make.output import Display, Kept, end_of
from embedded_engine.make.scrubber import Scrubber

#: Containers are called PREFIX-SESSION-NUMBER.
PREFIX = "embedded-engine"
#: Bytes read from a step's pipe at a time.
CHUNK = 1 << 16
#: What is kept of a step's output: two streams, and both in the order in which they came.
STREAMS = ("stdout", "stderr", "combined")


@dataclass(frozen=True)
class Job:
    """A step that is ready to run.

    Args:
        name: the container's, unique on this machine.
        spec: its config.json.
        directory: a directory for the bundle, which also receives stdout and stderr.
        stdin: what it reads: bytes, or a file.
        hidden: secrets, which are taken out of the output.
        alive: the descriptor by which the session is known to live; runc holds it too, since it may outlive the engine
            for a moment, in which it makes control groups.
        keyring: whether it gets a session keyring of its own; not where this machine lets nothing use keyrings.
        whole: the streams of which everything is wanted, whatever their length.
    """

    name: str
    spec: dict[str, Any]
    directory: Path
    stdin: bytes | Path
    hidden: Sequence[bytes]
    alive: int
    keyring: bool
    whole: Collection[str] = ()


async def execute(job: Job, step: Step) -> int:
    """Run a container to its end and return its exit code; 128 + N for signal N.

    It ends when its first process does: the kernel ends the others with it. Its output goes to the files stdout,
    stderr and combined of the job's directory, and line by line to the step's watchers.

    Raises:
        HostMissing: runc is not installed.
        NotPermitted: the kernel refuses what runc asks for.
        EngineError: runc itself failed, or was killed.
    """
    bundle = job.directory / "bundle"
    bundle.mkdir()
    (bundle / "config.json").write_text(json.dumps(job.spec))
    root, log, started = (job.directory / name for name in ("runc", "runc.log", "runc.pid"))
    argv = ["runc", "--root", str(root), "--log", str(log), "--log-format", "json"]
    options = [*([] if job.keyring else ["--no-new-keyring"]), "--pid-file", str(started), "--bundle", str(bundle)]
    process = await spawn([*argv, "run", *options, job.name], stdin=asyncio.subprocess.PIPE, pass_fds=[job.alive])
    talking = asyncio.ensure_future(_talk(process, job, step))
    try:
        code = await _ended(process, talking)
        if code < 0:
            # What it started lives on, and holds the pipes open.
            await _delete(argv, job.name)
        await talking
    finally:
        talking.cancel()
        if process.returncode is None:
            await kill(process)
            await _delete(argv, job.name)
    if code < 0:
        raise EngineError(f"runc was ended by signal {-code} while the step ran; run again.")
    own = _own_code(log)
    if not own and not started.exists():
        raise EngineError(f"runc ended with {code} and started no step: {end_of(job.directory / 'stderr').strip()}")
    for left in (bundle, root):
        shutil.rmtree(left, ignore_errors=True)
    for file in (log, started):
        file.unlink(missing_ok=True)
    return own or code


async def _ended(process: asyncio.subprocess.Process, talking: "asyncio.Future[None]") -> int:
    """Return how a program ended, also if what it started still holds its pipes."""
    while process.returncode is None:
        await asyncio.wait([talking], timeout=0.2)
        if talking.done():
            talking.result()
            return await process.wait()
    return process.returncode


async def _delete(argv: Sequence[str], name: str) -> None:
    deletion = await spawn([*argv, "delete", "--force", name])
    await deletion.communicate()
    # One that was killed early has a control group already, and nothing that runc knows it by.
    await asyncio.to_thread(remove_control_groups, name)


async def _talk(process: asyncio.subprocess.Process, job: Job, step: Step) -> None:
    assert process.stdin and process.stdout and process.stderr  # noqa: S101  spawned with pipes
    with contextlib.ExitStack() as stack:
        kept = {name: Kept((job.directory / name).open("wb"), whole=name in job.whole) for name in STREAMS}
        for one in kept.values():
            stack.callback(one.close)
        pumps = [
            _pump(stream, (kept[name], kept["combined"]), Display(step, name), Scrubber(job.hidden))
            for name, stream in (("stdout", process.stdout), ("stderr", process.stderr))
        ]
        await asyncio.gather(_feed(process.stdin, job.stdin), *pumps)


async def _feed(stdin: asyncio.StreamWriter, data: bytes | Path) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError), _opened(data) as source:
        while piece := source.read(CHUNK):
            stdin.write(piece)
            await stdin.drain()
    stdin.close()


def _opened(data: bytes | Path) -> IO[bytes]:
    return io.BytesIO(data) if isinstance(data, bytes) else data.open("rb")


async def _pump(stream: asyncio.StreamReader, kept: Sequence[Kept], shown: Display, scrubber: Scrubber) -> None:
    while chunk := await stream.read(CHUNK):
        _take(scrubber.feed(chunk), kept, shown)
    _take(scrubber.end(), kept, shown)
    shown.end()


def _take(clean: bytes, kept: Sequence[Kept], shown: Display) -> None:
    for one in kept:
        one.write(clean)
    shown.feed(clean)


#: How runc begins to say that a command is not there, or cannot be executed.
_NO_COMMAND = 'container process: exec: "'
#: What runc says where namespaces, mounts or control groups are unavailable.
_REFUSALS = ("operation not permitted", "permission denied", "read-only file system")


def _own_code(log: Path) -> int:
    """Return 1, as Dagger's init does, for a command that could not start; 0 if runc has nothing to say.

    Raises:
        NotPermitted: the kernel refuses namespaces, mounts or control groups.
        EngineError: anything else that stopped runc itself.
    """
    for line in log.read_text(errors="replace").splitlines() if log.exists() else []:
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            if entry.get("level") == "error":
                return _code_of(str(entry.get("msg", "")))
    return 0


def _code_of(message: str) -> int:
    said = message.lower()
    if _NO_COMMAND in said:
        return 1
    if any(refusal in said for refusal in _REFUSALS):
        raise NotPermitted(f"This machine does not let runc start a container: {message}; run as root, unconfined.")
    raise EngineError(f"runc could not run the step: {message}")


def container_name(session: str) -> str:
    """Return a new name for a container, and its control group, of a session."""
    return f"{PREFIX}-{session}-{secrets.token_hex(4)}"


def session_ended(session: str) -> None:
    """Remove the control groups that a session has left: the kernel removes all else of its containers."""
    remove_control_groups(f"{PREFIX}-{session}-*")


def remove_control_groups(name: str) -> None:
    """Remove the control groups of a container, or of all whose names fit a pattern."""
    for pattern in (name, f"*/{name}"):
        for group in Path("/sys/fs/cgroup").glob(pattern):
            _remove_control_group(group)


def _remove_control_group(group: Path) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError):
            group.rmdir()
        if not group.exists():
            return
        # The kernel ends a killed namespace's processes in its own time.
        time.sleep(0.05)
