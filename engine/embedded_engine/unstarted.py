"""Facts about an engine that is not running: its store, the store's content, and the machine's package sources."""

import hashlib
import re
from pathlib import Path

from embedded_engine.host.credentials import Credentials
from embedded_engine.host.errors import EngineError, RegistryUnreachable
from embedded_engine.host.settings import apt_config, default_store
from embedded_engine.oci.skopeo import normalized, resolve_digest
from embedded_engine.store.prepare import VERSION

__all__ = ["EngineError", "default_store", "registry_answers", "snapshots_in", "stand_in_sources"]

#: The default paths of apt's sources and indexes; apt's configuration can move them: apt.conf(5), files(5).
APT_FILES = ("/etc/os-release", "/etc/apt", "/var/lib/dpkg/arch")
APT_LISTS = Path("/var/lib/apt/lists")
_MOVES_FILES = re.compile(rb"(?i)RootDir|\bDir(::(Etc|State)\b|\s*[\"{])")


async def registry_answers(reference: str) -> bool:
    """Return whether a base's registry answers, even with a refusal; if not, a stand-in can take its place."""
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
        OSError: the directory is not a store, or has another layout.
    """
    if (store / "version").read_text().strip() != str(VERSION):
        raise OSError(f"the store {store} has another layout")
    return frozenset(path.name for path in (store / "snapshots").iterdir())


def stand_in_sources() -> str:
    """Return the digest of everything that a stand-in base is made from; empty if the files do not suffice.

    It changes at least as often as apt's view of this machine's sources, and is known without running apt.

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
