"""The namespaces of the engine: for mounts and processes, and for an ordinary user a user namespace around them.

In the user namespace, the user is root, 0, and the user's subordinate ids are 1 to 65535. Sources: user_namespaces(7),
subuid(5), newuidmap(1).
"""

import asyncio
import contextlib
import functools
import os
import pwd
from collections.abc import AsyncIterator
from pathlib import Path

from embedded_engine.host.bounded import whole_number
from embedded_engine.host.errors import CommandFailed, NotPermitted
from embedded_engine.host.process import FOR_USERS, kill, required, run, spawn

#: When the engine ends, for whatever reason, the kernel removes every mount and every container with it.
NAMESPACES = (
    "unshare",
    "--mount",
    "--propagation",
    "private",
    "--pid",
    "--fork",
    "--mount-proc",
    "--kill-child",
)

#: The number of ids besides root's: images have files of any owner up to 65535, and Debian's `nobody` is 65534.
IDS = 65535
#: The files of subordinate ids, each with the option of usermod(8) that adds ids.
SUBORDINATE = {Path("/etc/subuid"): "--add-subuids", Path("/etc/subgid"): "--add-subgids"}
#: The first subordinate id of adduser(8).
FIRST = 100_000

#: The settings of sysctl(8) that disable user namespaces, with the disabling values.
SWITCHES = {
    "kernel.unprivileged_userns_clone": "0",
    "kernel.apparmor_restrict_unprivileged_userns": "1",
    "user.max_user_namespaces": "0",
}
#: The commands that enable each again.
SWITCHED_ON = {
    "kernel.unprivileged_userns_clone": "1",
    "kernel.apparmor_restrict_unprivileged_userns": "0",
    "user.max_user_namespaces": "65536",
}

#: Inside, outside, count: a line of /proc/PID/uid_map.
Range = tuple[int, int, int]


@functools.lru_cache(maxsize=2)
def _own_map(kind: str) -> tuple[Range, ...]:
    return _ranges_in(Path(f"/proc/self/{kind}_map"))


def _ranges_in(path: Path) -> tuple[Range, ...]:
    lines = path.read_text().splitlines()
    return tuple((int(inside), int(outside), int(count)) for inside, outside, count in map(str.split, lines))


def id_maps() -> str:
    """Return the machine's ids that this process can give to files: inside, outside, count; users, then groups."""
    return "".join(f"{inside} {outside} {count}\n" for inside, outside, count in _own_map("uid") + _own_map("gid"))


def has_ids(uid: int, gid: int) -> bool:
    """Return whether this process can give files to a user and a group."""
    ids = (("uid", uid), ("gid", gid))
    return all(any(line[0] <= wanted < line[0] + line[2] for line in _own_map(kind)) for kind, wanted in ids)


def ids_of(process: int) -> tuple[Range, ...]:
    """Return the uids that a child of this process and its descendants can have."""
    return _ranges_in(Path(f"/proc/{process}/uid_map"))


def in_user_namespace() -> bool:
    """Return whether this process is root of a user namespace, where devices and new sysfs mounts are not allowed."""
    return _own_map("uid") != ((0, 0, 2**32 - 1),)


@contextlib.asynccontextmanager
async def namespaces() -> AsyncIterator[tuple[str, ...]]:
    """Yield the command prefix that runs a command as root of new namespaces.

    The prefix works for the duration of the block; processes that it started stay in the namespaces.

    Raises:
        HostMissing: a program is missing.
        NotPermitted: the user lacks subordinate ids, or this machine has no user namespaces for ordinary users.
    """
    if os.geteuid() == 0:
        yield NAMESPACES
        return
    required(FOR_USERS)
    uids, gids = _ranges()
    # This process only keeps the namespace until another one joins; `unshare --map-auto` is newer than util-linux 2.37
    # of Ubuntu 22.04.
    holder = await spawn(["unshare", "--user", "sh", "-c", "echo; exec cat"], stdin=asyncio.subprocess.PIPE)
    try:
        assert holder.stdout  # noqa: S101  it is a pipe
        if not await holder.stdout.readline():
            _, output = await holder.communicate()
            raise refused(output.decode(errors="replace"))
        for program, ranges in (("newuidmap", uids), ("newgidmap", gids)):
            await _map(program, holder.pid, ranges)
        yield ("nsenter", f"--user=/proc/{holder.pid}/ns/user", "--setuid=0", "--setgid=0", *NAMESPACES)
    finally:
        await kill(holder)


async def _map(program: str, pid: int, ranges: list[Range]) -> None:
    try:
        await run([program, str(pid), *(str(number) for line in ranges for number in line)])
    except CommandFailed as error:
        raise refused(error.stderr) from error


def refused(output: str) -> NotPermitted:
    """Return the error for a machine that does not let this user create namespaces, with the remedy.

    Args:
        output: the output of the program that failed.
    """
    for name, off in SWITCHES.items():
        with contextlib.suppress(OSError):
            if (Path("/proc/sys") / name.replace(".", "/")).read_text().strip() == off:
                return NotPermitted(
                    f"This machine does not let ordinary users make user namespaces: {name} is {off}; "
                    f"allow it with `sudo sysctl -w {name}={SWITCHED_ON[name]}`, or run as root."
                )
    last = next(iter(output.strip().splitlines()[-1:]), "it printed nothing")
    return NotPermitted(
        f"This machine does not let the embedded engine make namespaces: {last}; "
        "run it outside a container, or in a privileged one."
    )


def _ranges() -> tuple[list[Range], list[Range]]:
    user = os.geteuid()
    name = str(user)
    with contextlib.suppress(KeyError):
        name = pwd.getpwuid(user).pw_name
    found = {path: _subordinate(path, (name, str(user))) for path in SUBORDINATE}
    if lacking := [path for path, ranges in found.items() if sum(line[2] for line in ranges) < IDS]:
        raise _too_few(name, lacking, sum(line[2] for line in found[lacking[0]]))
    uids, gids = ([(0, own, 1), *found[path]] for own, path in zip((user, os.getegid()), SUBORDINATE, strict=True))
    return uids, gids


def _subordinate(path: Path, names: tuple[str, str]) -> list[Range]:
    """Return the mapping of the user's subordinate ids, as many as needed."""
    ranges: list[Range] = []
    inside = 1
    for owner, first, count in _entries(path):
        if owner in names and (taken := min(count, IDS + 1 - inside)) > 0:
            ranges.append((inside, first, taken))
            inside += taken
    return ranges


def _entries(path: Path) -> list[tuple[str, int, int]]:
    lines = path.read_text().splitlines() if path.exists() else []
    rows = [line.strip().split(":") for line in lines]
    return [(row[0], int(row[1]), int(row[2])) for row in rows if len(row) == 3 and all(map(_is_id, row[1:]))]


def _is_id(text: str) -> bool:
    return whole_number(text, 1 << 32) is not None


def _too_few(name: str, lacking: list[Path], count: int) -> NotPermitted:
    given_out = [first + size for path in SUBORDINATE for _, first, size in _entries(path)]
    first = max([FIRST, *given_out])
    options = " ".join(f"{SUBORDINATE[path]} {first}-{first + IDS}" for path in lacking)
    return NotPermitted(
        f"The user '{name}' has {count or 'no'} subordinate ids in {' and '.join(map(str, lacking))}, and the files "
        f"of images need {IDS}; add them with `sudo usermod {options} {name}`, or run as root."
    )
