"""What checks must know about the distribution below an image, as data."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pipeline.errors import CatalogueError

#: Suites with security updates: Debian's and Ubuntu's are named like bookworm-security.
_POCKETS = "-security$"
#: Modules of the standard library for other systems, which Debian's packages hold all the same.
_OTHER_SYSTEMS = frozenset({"msilib", "encodings.mbcs", "encodings.oem", "ctypes.wintypes"})
_OTHER_SYSTEMS |= {"asyncio.windows_events", "asyncio.windows_utils", "multiprocessing.popen_spawn_win32"}
_SINCE_3_13 = _OTHER_SYSTEMS | {"_ios_support", "_pyrepl.windows_console", "_pyrepl.windows_eventqueue"}


@dataclass(frozen=True)
class Distribution:
    """A release of a distribution.

    Args:
        id: ID of its os-release(5), as in ubuntu.
        version_id: VERSION_ID of its os-release; empty where it has none.
        name: as in ubuntu-24.04.
        python: the minor version of its Python, as in 3.12.
        security: a regular expression for the suites that bring security updates.
        umask_by_su: of what root starts as another user; with pam_umask(8) the user's own group may write.
        other_systems: modules of Python's standard library that import on other operating systems only.
        is_rolling: whether its packages get new versions and not only corrections.
        rules: the file with the rules of its CIS benchmark; empty where the SCAP Security Guide has no such profile.
    """

    id: str
    version_id: str
    name: str
    python: str
    security: str = _POCKETS
    umask_by_su: str = "0002"
    other_systems: frozenset[str] = _OTHER_SYSTEMS
    is_rolling: bool = False
    rules: str = ""

    @property
    def os_release(self) -> str:
        """The values of its os-release(5) as one word, as in ubuntu-24.04, or debian- without a version."""
        return f"{self.id}-{self.version_id}"


_ALL = (
    Distribution("debian", "12", "debian-12", "3.11", umask_by_su="0022", rules="ssg-debian12-ds.xml"),
    Distribution("debian", "13", "debian-13", "3.13", other_systems=_SINCE_3_13, rules="ssg-debian13-ds.xml"),
    # It has no security updates of its own: they arrive in the suite itself.
    Distribution("debian", "", "debian-sid", "3.14", security="^sid$", other_systems=_SINCE_3_13, is_rolling=True),
    Distribution("ubuntu", "22.04", "ubuntu-22.04", "3.10", rules="ssg-ubuntu2204-ds.xml"),
    Distribution("ubuntu", "24.04", "ubuntu-24.04", "3.12", rules="ssg-ubuntu2404-ds.xml"),
    Distribution("ubuntu", "26.04", "ubuntu-26.04", "3.14", other_systems=_SINCE_3_13),
)
#: The distributions that images are built on, by name.
DISTRIBUTIONS: Mapping[str, Distribution] = MappingProxyType({one.name: one for one in _ALL})


def distribution_named(name: str) -> Distribution:
    """Return a distribution.

    Args:
        name: as in ubuntu-24.04.

    Raises:
        CatalogueError: nothing is known about it; the nearest name is suggested.
    """
    if name in DISTRIBUTIONS:
        return DISTRIBUTIONS[name]
    near = difflib.get_close_matches(name, DISTRIBUTIONS, n=1, cutoff=0.0)
    raise CatalogueError(
        f"The checks know nothing about the distribution {name!r}; did you mean {near[0]!r}? They know "
        f"{', '.join(DISTRIBUTIONS)}."
    )


def read_os_release(text: str) -> str:
    """Return the values of an os-release(5) as `Distribution.os_release` has them."""
    values = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals:
            values[key] = value.strip("\"'")
    return f"{values.get('ID', '')}-{values.get('VERSION_ID', '')}"
