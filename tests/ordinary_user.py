"""An ordinary user, for tests that run as root: one that exists in a mount namespace only, so that the machine stays
as it is. Tests that run as an ordinary user are that user.
"""

import asyncio
import contextlib
import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import dagger
from embedded_engine.host.namespace import namespaces
from embedded_engine.host.process import kill, run, spawn
from embedded_engine.session import Session

from tests.clients import connected

ROOT = Path(__file__).parents[1]
NAME = "ska-tester"
UID = 1_999_999_999
#: Above all that distributions give out.
SUBORDINATE = f"{NAME}:2000000000:65536\n"
FILES = ("passwd", "group", "subuid", "subgid")

#: $0 is the directory of the machine's files as this user finds them; `prepare` is what a test does before.
_BECOME = """\
umask 022
for file in passwd group subuid subgid; do mount --bind "$0/$file" "/etc/$file"; done
{prepare}
cd "$HOME"
exec setpriv --reuid={uid} --regid={uid} --clear-groups "$@"
"""
#: Where a directory on the way to the interpreter or the checkout is closed to others, only these remain of it.
_OPEN = """\
mkdir -p "$0/open{needed}"
mount --rbind "{needed}" "$0/open{needed}"
"""


#: Lets the user open the device of user-mode networks.
_TUN = 'mount --bind "{tun}" /dev/net/tun\n'


@dataclass(frozen=True)
class OrdinaryUser:
    """The user.

    Args:
        home: the home directory, on a disk.
        machine: the directory of the files in /etc that this user finds; None for whoever runs the tests.
        prepare: shell commands that change the mount namespace before it becomes the user's.
        before: words before the command that makes that namespace.
    """

    home: Path
    machine: Path | None
    prepare: str = ""
    before: tuple[str, ...] = ()

    @property
    def store(self) -> Path:
        """The default store."""
        return self.home / ".local/share/ska-images"

    def directory(self) -> Path:
        """Make an empty directory of this user."""
        made = Path(tempfile.mkdtemp(dir=self.home))
        owner = self.home.stat()
        os.chown(made, owner.st_uid, owner.st_gid)
        return made

    def on(self, prepare: str = "", before: Sequence[str] = (), **files: str) -> "OrdinaryUser":
        """Return the user on a machine that differs.

        Args:
            prepare: shell commands, run as root in the user's mount namespace.
            before: words before the command, a namespace's for example.
            files: the text of files in /etc, by their names.
        """
        assert self.machine, "this test changes what a user finds in /etc, which needs root: run `make test`"
        machine = Path(tempfile.mkdtemp(dir=self.machine))
        for name in FILES:
            (machine / name).write_text(files.get(name, (self.machine / name).read_text()))
        return replace(self, machine=machine, prepare=self.prepare + prepare, before=(*self.before, *before))

    def words(self, *argv: str | Path) -> list[str]:
        """Return the command that runs another one as this user, in the home directory."""
        home = ["env", *(f"--unset={name}" for name in os.environ if name.startswith("XDG_")), f"HOME={self.home}"]
        if not self.machine:
            return [*home, *map(str, argv)]
        script = _BECOME.format(prepare=_open_paths() + self.prepare, uid=UID)
        unshare = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", script, str(self.machine)]
        user = [*home, f"USER={NAME}", f"LOGNAME={NAME}", "PATH=/usr/local/bin:/usr/bin:/bin"]
        return [*self.before, *user, *unshare, *map(str, argv)]

    def ska_images(self, *argv: str | Path) -> subprocess.CompletedProcess[str]:
        """Run `ska-images` as this user; both streams are in its stdout."""
        return _run(self.words(sys.executable, "-m", "pipeline", *argv))

    def engine(self, *argv: str | Path) -> subprocess.CompletedProcess[str]:
        """Start an engine as this user and end it at once; both streams are in its stdout."""
        return _run(self.words(sys.executable, "-m", "embedded_engine.session", *argv))

    @contextlib.asynccontextmanager
    async def session(self, store: Path) -> AsyncIterator[Session]:
        """Run an engine as this user for the time of a block."""
        argv = self.words(sys.executable, "-m", "embedded_engine.session", f"--store={store}")
        process = await spawn(argv, stdin=asyncio.subprocess.PIPE)
        assert process.stdin and process.stdout and process.stderr
        try:
            line = await process.stdout.readline()
            assert line, (await process.stderr.read()).decode()
            greeting = json.loads(line)
            yield Session(greeting["port"], greeting["session_token"])
        finally:
            process.stdin.close()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(process.wait(), 20)
            await kill(process)

    @contextlib.asynccontextmanager
    async def client(self, store: Path) -> AsyncIterator[dagger.Client]:
        """Connect Dagger's SDK to an engine of this user for the time of a block."""
        async with self.session(store) as session, connected(session) as client:
            yield client


def _run(argv: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


def _open_paths() -> str:
    """Return shell commands that open the way to the interpreter and the checkout."""
    lines, closed = "", set()
    for needed in dict.fromkeys(Path(each) for each in (sys.base_prefix, sys.prefix, ROOT)):
        barred = [each for each in reversed(needed.parents) if not each.stat().st_mode & 0o001]
        if barred:
            lines += _OPEN.format(needed=needed)
            closed.add(barred[0])
    for each in sorted(closed):
        lines += f'mount --rbind "$0/open{each}" "{each}"\n'
    return lines


@contextlib.asynccontextmanager
async def ordinary_user(scratch: Path) -> AsyncIterator[OrdinaryUser]:
    """Make the user for the time of a block.

    Args:
        scratch: where the home directory is made.
    """
    home = Path(tempfile.mkdtemp(prefix="ska-images-user-", dir=scratch))
    machine = Path(tempfile.mkdtemp(prefix="ska-images-etc-", dir=scratch)) if os.geteuid() == 0 else None
    if machine:
        passwd, group = f"{NAME}:x:{UID}:{UID}::{home}:/bin/sh\n", f"{NAME}:x:{UID}:\n"
        for name, line in zip(FILES, (passwd, group, SUBORDINATE, SUBORDINATE), strict=True):
            (machine / name).write_text(Path("/etc", name).read_text() + line)
        os.chown(home, UID, UID)
        # As udev makes it; the machine of the tests may have none.
        os.mknod(machine / "tun", stat.S_IFCHR | 0o666, os.makedev(10, 200))
        (machine / "tun").chmod(0o666)
    yield OrdinaryUser(home, machine, _TUN.format(tun=machine / "tun") if machine else "")
    async with namespaces() as prefix:  # some files belong to subordinate ids
        await run([*prefix, "rm", "-rf", str(home), *([str(machine)] if machine else [])])
