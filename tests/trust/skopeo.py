"""A skopeo that knows Sigstore's signatures: Debian 12's own has them switched off, and says so.

It is that of Debian 13, run with that release's C library, and unpacked beside everything else. Nothing is pinned, as
packages of a release that lives are renewed: apt verifies Debian's signature.
"""

import fcntl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from dev.tools.fetch import Apt

_PACKAGES = ("skopeo", "libc6")
_LIBRARIES = "usr/lib/x86_64-linux-gnu"


@dataclass(frozen=True)
class Skopeo:
    """The program, below the root that its packages were unpacked into."""

    root: Path

    def __call__(self, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run it."""
        libraries = self.root / _LIBRARIES
        loader = (libraries / "ld-linux-x86-64.so.2", "--library-path", libraries)
        return subprocess.run(
            [*loader, self.root / "usr/bin/skopeo", *arguments], capture_output=True, text=True, check=False
        )


def fetch(cache: Path, work: Path) -> Skopeo:
    """Return the program, unpacked once and kept.

    Args:
        cache: where it is kept.
        work: an empty directory.
    """
    cache.mkdir(parents=True, exist_ok=True)
    root = cache / "skopeo-of-debian-13"
    with (cache / "skopeo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            apt, new = Apt(work, ["trixie"]), work / "root"
            for package in _PACKAGES:
                subprocess.run(["dpkg-deb", "--extract", apt.download(package), new], check=True)
            subprocess.run(["cp", "-a", new, f"{root}.new"], check=True)
            root.with_name(f"{root.name}.new").rename(root)
    return Skopeo(root)
