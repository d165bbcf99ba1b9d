"""What an image's size is made of: the packages of each section of the distribution, and all the rest."""

from collections import Counter

import dagger

#: What no package of the distribution has brought: what pip and pipx installed, caches, and the image's own files.
OTHER = "no package"
_KIBIBYTE = 1024
_ASK = "dpkg-query --show --showformat='${db:Status-Status}\\t${Section}\\t${Installed-Size}\\n'"


async def sizes_of_groups(container: dagger.Container, image: str) -> dict[str, int]:
    """Return how many bytes the packages of each section have, the most first.

    These are the sizes that the packages say themselves, and rounded up for each file:
    https://www.debian.org/doc/debian-policy/ch-controlfields.html#installed-size

    Args:
        container: of the finished image; its own dpkg is run. Where that fails, or makes no sense, there are no groups.
        image: its name.
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
        return {}  # the gates say what is wrong with the packages
    return dict(found.most_common())
