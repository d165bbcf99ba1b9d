"""Users and groups of a root file system, by name or number, as `docker run --user` reads them."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.engine.errors import BadInput
from pipeline.engine.namespace import has_ids
from pipeline.engine.rootpath import resolve

#: What chown(2) takes for "as it was".
LARGEST_ID = 2**32 - 1


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
        BadInput: a name that the root file system does not know, or a number that this process may not use.
    """
    user, _, group = name.partition(":")
    users = {row[0]: row for row in _rows(root, "/etc/passwd", 4)}
    groups = _rows(root, "/etc/group", 3)
    if user.isdigit() or not user:
        uid = _number(user or "0")
        row = next((row for row in users.values() if row[2] == str(uid)), None)
    else:
        row = users.get(user)
        if row is None:
            raise BadInput(f"The user '{user}' is not in the image's /etc/passwd; add it, or give a number.")
        uid = int(row[2])
    if group:
        return _known(User(uid, _gid(groups, group)))
    member = tuple(int(g[2]) for g in groups if row and len(g) > 3 and row[0] in g[3].split(","))
    return _known(User(uid, int(row[3]) if row else 0, member))


def _known(user: User) -> User:
    if all(has_ids(user.uid, gid) for gid in (user.gid, *user.groups)):
        return user
    raise BadInput(
        f"The user {user.uid}:{user.gid} is none that an ordinary user's engine can use; give ids up to 65535, or run "
        "as root."
    )


def _number(text: str) -> int:
    if (number := int(text)) >= LARGEST_ID:
        raise BadInput(f"'{text}' is no number of a user or a group; give one below {LARGEST_ID}.")
    return number


def _gid(groups: list[list[str]], group: str) -> int:
    if group.isdigit():
        return _number(group)
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
