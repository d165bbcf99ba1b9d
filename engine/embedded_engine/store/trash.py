"""Deleting what was taken away, and never anything that is mounted there."""

import os
import re
from pathlib import Path

from embedded_engine.host.process import run

#: How spaces, tabs, line breaks and backslashes stand in /proc/self/mountinfo: proc(5).
_ESCAPED = re.compile(r"\\([0-7]{3})")


async def empty(trash: Path) -> None:
    """Delete what is in a directory, by this session or by one that was killed; what holds a mount point stays."""
    while left := _without_mounts(trash):
        done = await run(["rm", "-rf", "--one-file-system", "--", *map(str, left)], check=False)
        if done.returncode:
            return  # another session is at it too, or a killed one's last processes still write


def _without_mounts(trash: Path) -> list[Path]:
    # rm(1) itself would not see that a directory of the same file system is bound there.
    mounted = _mount_points()
    return [path for path in trash.iterdir() if not any(at == path or path in at.parents for at in mounted)]


def _mount_points() -> list[Path]:
    lines = os.fsdecode(Path("/proc/self/mountinfo").read_bytes()).split("\n")[:-1]
    return [Path(_ESCAPED.sub(lambda found: chr(int(found[1], 8)), line.split(" ")[4])) for line in lines]
