"""Running a step: a bundle, runc, and what it prints."""

import asyncio
import contextlib
import io
import json
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pipeline.engine.errors import EngineError, NotPermitted
from pipeline.engine.events import Step
from pipeline.engine.process import kill, spawn
from pipeline.engine.scrubber import Scrubber

#: Containers are called PREFIX-SESSION-NUMBER.
PREFIX = "ska-images"
#: Bytes read from a step's pipe at a time.
CHUNK = 1 << 16
#: A line longer than this is passed on in pieces.
LONGEST_LINE = 1 << 14


@dataclass(frozen=True)
class Job:
    """A step that is ready to run.

    Args:
        name: the container's, unique on this machine.
        spec: its config.json.
        directory: a directory for the bundle, which also receives stdout and stderr.
        stdin: what it reads: bytes, or a file.
        hidden: secrets, which are taken out of the output.
    """

    name: str
    spec: dict[str, Any]
    directory: Path
    stdin: bytes | Path
    hidden: Sequence[bytes]


async def execute(job: Job, step: Step) -> int:
    """Run a container to its end and return its exit code; 128 + N for signal N.

    Its output goes to the files stdout, stderr and combined of the job's directory, and line by line to the step's
    watchers.

    Raises:
        HostMissing: runc is not installed.
        NotPermitted: the kernel refuses what runc asks for.
        EngineError: runc itself failed.
    """
    bundle = job.directory / "bundle"
    bundle.mkdir()
    (bundle / "config.json").write_text(json.dumps(job.spec))
    root, log = job.directory / "runc", job.directory / "runc.log"
    argv = ["runc", "--root", str(root), "--log", str(log), "--log-format", "json"]
    process = await spawn(
        [*argv, "run", "--no-new-keyring", "--bundle", str(bundle), job.name], stdin=asyncio.subprocess.PIPE
    )
    try:
        await _talk(process, job, step)
        code = await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            await kill(process)
        if any(root.glob("*")):
            deletion = await spawn([*argv, "delete", "--force", job.name])
            await deletion.communicate()
    code = _own_code(log) or code
    for left in (bundle, root):
        shutil.rmtree(left, ignore_errors=True)
    log.unlink(missing_ok=True)
    return code


async def _talk(process: asyncio.subprocess.Process, job: Job, step: Step) -> None:
    assert process.stdin and process.stdout and process.stderr  # noqa: S101  spawned with pipes
    streams = (("stdout", process.stdout), ("stderr", process.stderr))
    with contextlib.ExitStack() as stack:
        combined = stack.enter_context((job.directory / "combined").open("wb"))
        pumps = []
        for name, stream in streams:
            file = stack.enter_context((job.directory / name).open("wb"))
            pumps.append(_pump(stream, (file, combined), name, Scrubber(job.hidden), step))
        await asyncio.gather(_feed(process.stdin, job.stdin), *pumps)


async def _feed(stdin: asyncio.StreamWriter, data: bytes | Path) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError), _opened(data) as source:
        while piece := source.read(CHUNK):
            stdin.write(piece)
            await stdin.drain()
    stdin.close()


def _opened(data: bytes | Path) -> IO[bytes]:
    return io.BytesIO(data) if isinstance(data, bytes) else data.open("rb")


async def _pump(
    stream: asyncio.StreamReader, files: Sequence[IO[bytes]], name: str, scrubber: Scrubber, step: Step
) -> None:
    async for line in _lines(stream, scrubber):
        for file in files:
            file.write(line)
        step.log(name, line.decode(errors="replace").rstrip("\r\n"))


async def _lines(stream: asyncio.StreamReader, scrubber: Scrubber) -> AsyncIterator[bytes]:
    rest = b""
    while chunk := await stream.read(CHUNK):
        *lines, rest = (rest + scrubber.feed(chunk)).split(b"\n")
        for line in lines:
            yield line + b"\n"
        if len(rest) > LONGEST_LINE:
            yield rest
            rest = b""
    if rest := rest + scrubber.end():
        yield rest


#: What runc says where namespaces, mounts or control groups are not to be had.
_REFUSALS = ("operation not permitted", "permission denied", "read-only file system")


def _own_code(log: Path) -> int:
    """Return 127 or 126, as a shell does, for a command that could not start; 0 if runc has nothing to say.

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
    if "exec: " in said and ("not found" in said or "no such file" in said):
        return 127
    if "exec: " in said and any(words in said for words in ("permission denied", "format error", "name too long")):
        return 126
    if any(refusal in said for refusal in _REFUSALS):
        raise NotPermitted(f"This machine does not let runc start a container: {message}; run as root, unconfined.")
    raise EngineError(f"runc could not run the step: {message}")


def container_name(session: str) -> str:
    """Return a new name for a container, and its control group, of a session."""
    return f"{PREFIX}-{session}-{secrets.token_hex(4)}"


def remove_control_groups(session: str) -> None:
    """Remove the control groups of a session that was killed: the kernel removes all else of a container."""
    for pattern in (f"{PREFIX}-{session}-*", f"*/{PREFIX}-{session}-*"):
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
