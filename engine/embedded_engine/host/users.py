"""Users and groups of a root file system, by name or number, in the form of `docker run --user`."""

import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from embedded_engine.host.beneath import read_small
from embedded_engine.host.bounded import whole_number
from embedded_engine.host.errors import BadInput
from embedded_engine.host.namespace import has_ids

#: The id that chown(2) reads as "unchanged".
LARGEST_ID = 2**32 - 1
#: The largest /etc/passwd or /etc/group in bytes; a hundred thousand users need less.
LARGEST_LIST = 16 << 20
#: NGROUPS_MAX of include/uapi/linux/limits.h.
MOST_GROUPS = 65536


@dataclass(frozen=True)
class User:
    """The identity of a process."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Row:
    """A line of /etc/passwd, with the numbers of user and group, or of /etc/group, with its number and members."""

    name: str
    numbers: tuple[int, ...]
    members: frozenset[str]


def look_up(root: Path, name: str) -> User:
    """Return the ids of `user[:group]`; empty means root.

    Args:
        root: the container's root directory on the host.
        name: names from the container's /etc/passwd and /etc/group, or numbers.

    Raises:
        BadInput: a name is unknown, this process may not use a number, or a list of users or groups is too large.
    """
    user, _, group = name.partition(":")
    users = _rows(root, "/etc/passwd", numbers=2)
    number = whole_number(user or "0", LARGEST_ID)
    if number is not None:
        row = next((row for row in users if row.numbers[0] == number), None)
    else:
        row = next((row for row in users if row.name == user), None)
        if row is None:
            raise _unknown("user", user, "/etc/passwd")
        number = row.numbers[0]
    if group:
        return _known(User(number, _gid(root, group)))
    return _known(User(number, row.numbers[1], _groups_of(root, row.name)) if row else User(number, 0))


def _known(user: User) -> User:
    if all(has_ids(user.uid, gid) for gid in (user.gid, *user.groups)):
        return user
    raise BadInput(
        f"The user {user.uid}:{user.gid} is none that an ordinary user's engine can use; give ids up to 65535, or run "
        "as root."
    )


def _gid(root: Path, group: str) -> int:
    number = whole_number(group, LARGEST_ID)
    if number is None:
        groups = _rows(root, "/etc/group", numbers=1)
        number = next((row.numbers[0] for row in groups if row.name == group), None)
    if number is None:
        raise _unknown("group", group, "/etc/group")
    return number


def _groups_of(root: Path, user: str) -> tuple[int, ...]:
    groups = _rows(root, "/etc/group", numbers=1)
    found = tuple(itertools.islice((row.numbers[0] for row in groups if user in row.members), MOST_GROUPS + 1))
    if len(found) > MOST_GROUPS:
        raise BadInput(f"The user '{user}' is in more than {MOST_GROUPS} groups, which is Linux's limit; remove some.")
    return found


def _unknown(kind: str, name: str, path: str) -> BadInput:
    if name.isdigit():
        return BadInput(f"'{name}' is not the number of a {kind}; give one below {LARGEST_ID}, in the digits 0 to 9.")
    return BadInput(f"The {kind} '{name}' is not in the image's {path}; add it, or give a number.")


def _rows(root: Path, path: str, *, numbers: int) -> Iterator[_Row]:
    """Yield the lines with a name, a password and the given count of numbers; other programs ignore the rest, too."""
    text = read_small(root, path, LARGEST_LIST).decode(errors="replace")
    for line in io.StringIO(text):
        if row := _row(line.rstrip("\n").split(":"), numbers):
            yield row


def _row(fields: list[str], count: int) -> _Row | None:
    read = (whole_number(text, LARGEST_ID) for text in fields[2 : 2 + count])
    numbers = tuple(number for number in read if number is not None)
    if len(numbers) < count:
        return None
    return _Row(fields[0], numbers, frozenset(fields[3].split(",") if len(fields) > 3 else ()))
