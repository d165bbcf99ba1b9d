"""The one function that runs host programs."""

import asyncio
import contextlib
import errno
import os
import shutil
import signal
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedded_engine.host.errors import BadInput, CommandFailed, DiskFull, HostMissing

#: The Debian and Ubuntu package that brings each program.
PACKAGES = {
    "runc": "runc",
    "skopeo": "skopeo",
    "mmdebstrap": "mmdebstrap",
    "mount": "mount",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "apt-get": "apt",
    "apt-config": "apt",
}
#: The variables that start the engine of an ordinary user.
FOR_USERS = {"unshare": "util-linux", "nsenter": "util-linux", "newuidmap": "uidmap", "newgidmap": "uidmap"}
# Python 3.10 has no flag for this.
_RUN_MODULE = (
    "import sys; sys.path[0] = sys.argv.pop(1); "
    "import runpy; runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


@dataclass(frozen=True)
class Completed:
    """The result of a program."""

    returncode: int
    stdout: str
    stderr: str


async def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float | None = None,
    check: bool = True,
    pass_fds: Sequence[int] = (),
) -> Completed:
    """Run a host program without standard input, and return its output.

    Args:
        argv: the program, looked up on PATH, and its arguments; never a secret.
        env: the whole environment; by default the engine's own.
        cwd: the working directory.
        timeout: seconds until the program is killed.
        check: raise an error if the program fails.
        pass_fds: the open files that the program inherits.

    Raises:
        HostMissing: the program is not installed.
        DiskFull: the program reported that no space is left.
        CommandFailed: the program failed or ran out of time.
    """
    process = await spawn(argv, env=env, cwd=cwd, pass_fds=pass_fds, new_session=True)
    try:
        out, err = await asyncio.wait_for(process.communicate(), timeout)
    except asyncio.TimeoutError:
        raise CommandFailed(list(argv), -9, f"no answer within {timeout} s") from None
    finally:
        await kill(process)
    done = Completed(process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace"))
    if check and done.returncode:
        if os.strerror(errno.ENOSPC).lower() in done.stderr.lower():
            raise DiskFull(f"No space is left on the device while `{argv[0]}` ran; free some and run again.")
        raise CommandFailed(list(argv), done.returncode, done.stderr)
    return done


def python(module: str) -> list[str]:
    """Return the command that runs a module of this project.

    `python -m` would search the current directory first for the module and its imports.

    Args:
        module: the module's full name.
    """
    return [sys.executable, "-c", _RUN_MODULE, str(Path(__file__).parents[2]), module]


async def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: int = asyncio.subprocess.DEVNULL,
    pass_fds: Sequence[int] = (),
    new_session: bool = False,
) -> asyncio.subprocess.Process:
    """Start a host program with piped output, as `run` does, and return it running.

    Raises:
        HostMissing: the program is not installed.
    """
    try:
        return await asyncio.create_subprocess_exec(
            *argv,
            env=env,
            cwd=cwd,
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            pass_fds=pass_fds,
            start_new_session=new_session,
        )
    except FileNotFoundError:
        package = (PACKAGES | FOR_USERS).get(argv[0], argv[0])
        raise HostMissing(
            f"The program `{argv[0]}` is missing on this machine; install it: apt-get install {package}"
        ) from None


async def run_attached(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """Run a user's program on the streams of this process, and return its exit code in a shell's form.

    Args:
        argv: the program, looked up on PATH, and its arguments.
        env: the whole environment.

    Raises:
        BadInput: the program cannot be started.
    """
    try:
        process = await asyncio.create_subprocess_exec(*argv, env=env)
    except OSError as error:
        raise BadInput(f"The program '{argv[0]}' cannot be run: {error.strerror}; name another.") from error
    try:
        code = await process.wait()
    finally:
        await process.wait()  # Ctrl-C reaches the program too, and the program decides
    return code if code >= 0 else 128 - code


async def kill(process: asyncio.subprocess.Process) -> None:
    """Kill a program if it is still running, with its children if it leads a session, and reap it."""
    if process.returncode is None:
        # Children would keep the pipes open, and asyncio waits for these too.
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(process.pid) == process.pid:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        await process.wait()


def required(packages: Mapping[str, str]) -> None:
    """Check that programs are installed.

    Args:
        packages: each program's package.

    Raises:
        HostMissing: some are not installed; the text has the command that installs them.
    """
    missing = [name for name in packages if shutil.which(name) is None]
    if missing:
        wanted = " ".join(dict.fromkeys(packages[name] for name in missing))
        raise HostMissing(f"This machine lacks {', '.join(missing)}; install: apt-get install {wanted}")


async def stdin_ended() -> None:
    """Wait until the other end of this process's standard input is closed."""
    mode = os.fstat(sys.stdin.fileno()).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or sys.stdin.isatty()):
        return  # a file, or /dev/null, which epoll(7) does not support
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(1 << 16):
        pass
