"""An image's size by groups of packages: a group for each section of the distribution, and one for the rest."""

from collections import Counter

import dagger

#: Files outside the distribution's packages: what pip and pipx installed, caches, and the image's own files.
OTHER = "no package"
_KIBIBYTE = 1024
_ASK = "dpkg-query --show --showformat='${db:Status-Status}\\t${Section}\\t${Installed-Size}\\n'"


async def sizes_of_groups(container: dagger.Container, image: str) -> dict[str, int]:
    """Return the size of each section's packages in bytes, the largest section first.

    The sizes are those that the packages state, rounded up for each file:
    https://www.debian.org/doc/debian-policy/ch-controlfields.html#installed-size

    Args:
        container: the finished image, whose own dpkg is run; if that fails, there are no groups.
        image: the image's name.
    """
    command = ["sh", "-euc", _ASK, f"{image}: size the packages"]
    found: Counter[str] = Counter()
    try:
        for line in (await container.with_user("root").with_exec(command).stdout()).splitlines():
            status, section, size = line.split("\t")
            if status == "installed":
                # A section may have an area before it, as in universe/devel.
                found[section.rpartition("/")[2] or "unknown"] += int(size or 0) * _KIBIBYTE
    except (dagger.ExecError, ValueError):
        return {}  # the gates report what is wrong with the packages
    return dict(found.most_common())
