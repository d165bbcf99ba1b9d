"""What can be told about an engine that does not run: which store it would use, what is in it, what it would find."""

import hashlib
import re
from pathlib import Path

from embedded_engine.host.credentials import Credentials
from embedded_engine.host.errors import EngineError, RegistryUnreachable
from embedded_engine.host.settings import apt_config, default_store
from embedded_engine.oci.skopeo import normalized, resolve_digest
from embedded_engine.store.prepare import VERSION

__all__ = ["EngineError", "default_store", "registry_answers", "snapshots_in", "stand_in_sources"]

#: Where apt has its sources and their indexes, unless its configuration moves them: apt.conf(5), files(5).
APT_FILES = ("/etc/os-release", "/etc/apt", "/var/lib/dpkg/arch")
APT_LISTS = Path("/var/lib/apt/lists")
_MOVES_FILES = re.compile(rb"(?i)RootDir|\bDir(::(Etc|State)\b|\s*[\"{])")


async def registry_answers(reference: str) -> bool:
    """Tell whether a base would be pulled, or refused by its registry; a stand-in is made where no answer comes."""
    try:
        await resolve_digest(normalized(reference), Credentials())
    except RegistryUnreachable:
        return False
    except EngineError:
        return True
    return True


def snapshots_in(store: Path) -> frozenset[str]:
    """Return the names of a store's snapshots.

    Raises:
        OSError: it is not a store, or has another layout.
    """
    if (store / "version").read_text().strip() != str(VERSION):
        raise OSError(f"the store {store} has another layout")
    return frozenset(path.name for path in (store / "snapshots").iterdir())


def stand_in_sources() -> str:
    """Return the digest of all that decides what a stand-in base is made from; empty where files cannot tell.

    It changes at least as often as what apt says of this machine's sources, and does not take asking apt.

    Raises:
        OSError: a file cannot be read.
    """
    found = hashlib.sha256()
    configured = apt_config()
    for root in map(Path, (*APT_FILES, *configured)):
        for path in (root, *sorted(root.rglob("*"))):
            if path.is_file():
                content = path.read_bytes()
                if ("apt.conf" in str(path) or str(path) in configured) and _MOVES_FILES.search(content):
                    return ""
                found.update(repr((str(path), hashlib.sha256(content).digest())).encode())
    for path in sorted(APT_LISTS.glob("*Release")):
        status = path.stat()
        found.update(repr((path.name, status.st_size, status.st_mtime_ns)).encode())
    return found.hexdigest()
