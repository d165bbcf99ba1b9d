"""Deletes removed entries, and never anything that is mounted below them."""

import os
import re
from pathlib import Path

from embedded_engine.host.process import run

#: The escapes of spaces, tabs, line breaks and backslashes in /proc/self/mountinfo: proc(5).
_ESCAPED = re.compile(r"\\([0-7]{3})")


async def empty(trash: Path) -> None:
    """Delete the content of a directory, except entries with a mount point."""
    while left := _without_mounts(trash):
        done = await run(["rm", "-rf", "--one-file-system", "--", *map(str, left)], check=False)
        if done.returncode:
            return  # another session deletes it too, or the last processes of a killed session still write


def _without_mounts(trash: Path) -> list[Path]:
    # rm(1) itself would not notice a bind mount of the same file system.
    mounted = _mount_points()
    return [path for path in trash.iterdir() if not any(at == path or path in at.parents for at in mounted)]


def _mount_points() -> list[Path]:
    lines = os.fsdecode(Path("/proc/self/mountinfo").read_bytes()).split("\n")[:-1]
    return [Path(_ESCAPED.sub(lambda found: chr(int(found[1], 8)), line.split(" ")[4])) for line in lines]
