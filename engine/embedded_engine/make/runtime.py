"""Runs a step: makes a bundle, runs runc, and reads its output."""

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

#: Containers are named PREFIX-SESSION-NUMBER.
PREFIX = "embedded-engine"
#: Bytes to read from a step's pipe at a time.
CHUNK = 1 << 16
#: The files of a step's output: each stream, and both in the order of arrival.
STREAMS = ("stdout", "stderr", "combined")


@dataclass(frozen=True)
class Job:
    """A step that is ready to run.

    Args:
        name: the container's name, unique on this machine.
        spec: the content of config.json.
        directory: a directory for the bundle, which also receives stdout and stderr.
        stdin: the standard input: bytes, or a file.
        hidden: the secrets to remove from the output.
        alive: the descriptor that shows that the session lives; runc holds it too, since it may outlive the engine
            briefly and create control groups.
        keyring: whether the step gets its own session keyring, which needs a machine that allows keyrings.
        whole: the streams to keep completely, whatever their length.
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

    The container ends with its first process; the kernel ends the others. The output goes to the files stdout, stderr
    and combined in the job's directory, and line by line to the progress of the step.

    Raises:
        HostMissing: runc is not installed.
        NotPermitted: the kernel does not let runc start containers.
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
            # Processes of the container live on, and keep the pipes open.
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
    """Return a program's exit code, even if its children still hold its pipes."""
    while process.returncode is None:
        await asyncio.wait([talking], timeout=0.2)
        if talking.done():
            talking.result()
            return await process.wait()
    return process.returncode


async def _delete(argv: Sequence[str], name: str) -> None:
    deletion = await spawn([*argv, "delete", "--force", name])
    await deletion.communicate()
    # If runc was killed early, it has created a control group but no record of the container.
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


#: The beginning of runc's message about a command that is missing or cannot be executed.
_NO_COMMAND = 'container process: exec: "'
#: Parts of runc's messages about unavailable namespaces, mounts or control groups.
_REFUSALS = ("operation not permitted", "permission denied", "read-only file system")


def _own_code(log: Path) -> int:
    """Return 1, as Dagger's init does, for a command that could not start; 0 if runc reported no error.

    Raises:
        NotPermitted: the kernel refuses namespaces, mounts or control groups.
        EngineError: runc failed for another reason.
    """
    for line in log.read_text(errors="replace").splitlines() if log.exists() else []:
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            if entry.get("level") == "error":
                return _code_of(str(entry.get("msg", "")))
    return 0


def _code_of(message: str) -> int:
    lower = message.lower()
    if _NO_COMMAND in lower:
        return 1
    if any(refusal in lower for refusal in _REFUSALS):
        raise NotPermitted(f"This machine does not let runc start a container: {message}; run as root, unconfined.")
    raise EngineError(f"runc could not run the step: {message}")


def container_name(session: str) -> str:
    """Return a new name for a container, and its control group, of a session."""
    return f"{PREFIX}-{session}-{secrets.token_hex(4)}"


def session_ended(session: str) -> None:
    """Remove the control groups of an ended session; the kernel removes everything else of its containers."""
    remove_control_groups(f"{PREFIX}-{session}-*")


def remove_control_groups(name: str) -> None:
    """Remove the control groups of a container, or of all containers whose names match a pattern."""
    for pattern in (name, f"*/{name}"):
        for group in Path("/sys/fs/cgroup").glob(pattern):
            _remove_control_group(group)


def _remove_control_group(group: Path) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError):
            group.rmdir()
        if not group.exists():
            return
        # The kernel takes a moment to end the processes of a killed namespace.
        time.sleep(0.05)
