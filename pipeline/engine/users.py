"""Users and groups of a root file system, by name or number, as `docker run --user` reads them."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.engine.errors import BadInput
from pipeline.engine.rootpath import resolve


@dataclass(frozen=True)
class User:
    """Who a process is."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


def look_up(root: Path, name: str) -> User:
    """Return the numbers for `user[:group]`; empty is root.

    Args:
        root: the container's root directory on the host.
        name: names are looked up in its /etc/passwd and /etc/group, numbers are taken as they are.

    Raises:
        BadInput: a name that the root file system does not know.
    """
    user, _, group = name.partition(":")
    users = {row[0]: row for row in _rows(root, "/etc/passwd", 4)}
    groups = _rows(root, "/etc/group", 3)
    if user.isdigit() or not user:
        uid = int(user or 0)
        row = next((row for row in users.values() if row[2] == str(uid)), None)
    else:
        row = users.get(user)
        if row is None:
            raise BadInput(f"The user '{user}' is not in the image's /etc/passwd; add it, or give a number.")
        uid = int(row[2])
    if group:
        return User(uid, _gid(groups, group))
    member = tuple(int(g[2]) for g in groups if row and len(g) > 3 and row[0] in g[3].split(","))
    return User(uid, int(row[3]) if row else 0, member)


def _gid(groups: list[list[str]], group: str) -> int:
    if group.isdigit():
        return int(group)
    for row in groups:
        if row[0] == group:
            return int(row[2])
    raise BadInput(f"The group '{group}' is not in the image's /etc/group; add it, or give a number.")


def _rows(root: Path, path: str, width: int) -> list[list[str]]:
    file = resolve(root, path)
    if not file.is_file():
        return []
    text = file.read_text(errors="replace")
    rows = [line.split(":") for line in text.splitlines()]
    return [row for row in rows if len(row) >= width and row[2].isdigit()]
