"""The lines: one entry for each distribution that families are built on.

`ska-images renew-bases` writes the digests anew. The ends of life are those of distro-info-data
(https://debian.pages.debian.net/distro-info-data/ubuntu.csv).
"""

import difflib
from dataclasses import dataclass
from datetime import date

from pipeline.errors import UnknownLineError


@dataclass(frozen=True)
class Line:
    """A distribution that families are built on.

    Args:
        name: as in ubuntu24.
        suffix: of the names of its images; empty for the line whose images are named like their families.
        base: the image that its first images are built from, with its digest.
        distribution: the name of its distribution, as the base's os-release(5) states it.
        stand_in: the name of the distribution that takes its place where no registry answers.
        end_of_life: the last day of its distribution's standard support.
        users: accounts of the base that must go, with their groups and homes.
        paths: files of the base that must go.
    """

    name: str
    suffix: str
    base: str
    distribution: str
    stand_in: str
    end_of_life: date
    users: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    @property
    def unwanted(self) -> str:
        """What the base brings that must go, one thing a line."""
        return "".join((*(f"user {name}\n" for name in self.users), *(f"path {path}\n" for path in self.paths)))


#: Ubuntu's images of 24.04 and later bring this account with the number 1000, which belongs to users of the images.
_UBUNTU = ("ubuntu",)

LINES: tuple[Line, ...] = (
    Line(
        name="ubuntu22",
        suffix="",
        base="ubuntu:22.04@sha256:962f6cadeae0ea6284001009daa4cc9a8c37e75d1f5191cf0eb83fe565b63dd7",
        distribution="ubuntu-22.04",
        stand_in="debian-12",
        end_of_life=date(2027, 6, 1),
        users=_UBUNTU,
    ),
    Line(
        name="ubuntu24",
        suffix="-ubuntu24",
        base="ubuntu:24.04@sha256:b648a2094b746b16f8e688364f6fa0504788b209f328c54bf9e677f238a142df",
        distribution="ubuntu-24.04",
        stand_in="debian-13",
        end_of_life=date(2029, 5, 31),
        users=_UBUNTU,
    ),
    Line(
        name="ubuntu26",
        suffix="-ubuntu26",
        base="ubuntu:26.04@sha256:e17b7bc0f0123c030d24551ef8f2d0afd52394b1d57a00a819099c47a39e19e5",
        distribution="ubuntu-26.04",
        stand_in="debian-sid",
        end_of_life=date(2031, 5, 29),
        users=_UBUNTU,
        # A supervisor of services in Go, with vulnerabilities of its own.
        paths=("/usr/bin/pebble",),
    ),
)


def find_line(name: str) -> Line:
    """Return the line of that name.

    Raises:
        UnknownLineError: there is no such line; the nearest name is suggested.
    """
    known = {line.name: line for line in LINES}
    if name in known:
        return known[name]
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
    raise UnknownLineError(f"There is no line {name!r}; did you mean {nearest!r}? The lines are {', '.join(known)}.")
