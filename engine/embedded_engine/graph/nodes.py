"""The file systems that a chain describes, as values: what a step starts from, and what it does.

A node is immutable and evaluated only when something reads it (make/evaluator.py). Its key is the digest of its
canonical form with the keys of its inputs, so equal work has an equal key in every process and on every day.
Proxy settings, certificates, the contents of cache volumes and the plaintext of secrets are not part of it.
"""

import hashlib
import json
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property
from typing import Any, Literal


def canonical(value: Any) -> Any:
    """Return what stands for a value in a key: nodes by their keys, dataclasses by type and fields."""
    if isinstance(value, Node):
        return value.key
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, *_parts(value)]
    if isinstance(value, (tuple, list)):
        return [canonical(item) for item in value]
    return value


def _parts(value: Any) -> list[Any]:
    return [canonical(getattr(value, one.name)) for one in fields(value) if one.metadata.get("in_key", True)]


def digest(value: Any) -> str:
    """Return the hexadecimal SHA-256 of a value's canonical form."""
    text = json.dumps(canonical(value), ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Node:
    """A file system that can be made."""

    @cached_property
    def key(self) -> str:
        """Hexadecimal SHA-256 that names the file system in the store."""
        return digest([type(self).__name__, *_parts(self)])


@dataclass(frozen=True)
class Scratch(Node):
    """The empty file system."""


@dataclass(frozen=True)
class ImageRoot(Node):
    """The root file system of an image whose blobs are in the store.

    Args:
        manifest: the digest of its manifest, `sha256:…`.
        platform: the one that was chosen from an index, if it is not this machine's.
    """

    manifest: str
    platform: str = ""


@dataclass(frozen=True)
class StandIn(Node):
    """A root file system bootstrapped from the machine's own apt sources.

    Args:
        release: what it is, `debian-12`.
        suite: the distribution's code name.
        sources: the machine's apt sources that it is made from, one-line format.
        epoch: seconds since 1970 that its times are clamped to.
    """

    release: str
    suite: str
    sources: str
    epoch: int | None


@dataclass(frozen=True)
class HostTree(Node):
    """Files copied from the host; named by their content, so the key is that of the copy.

    Args:
        content: hexadecimal SHA-256 over names, modes and contents.
    """

    content: str


@dataclass(frozen=True)
class Download(Node):
    """A file fetched over HTTP, at /NAME.

    Args:
        url: where it is; not part of the key, since the checksum says what it is.
        checksum: `sha256:…` of its content.
        name: what it is called.
        mode: permission bits.
    """

    url: str = field(metadata={"in_key": False})
    checksum: str
    name: str
    mode: int


@dataclass(frozen=True)
class Difference(Node):
    """What of one directory another one lacks or has otherwise.

    Args:
        lower, lower_path: the directory compared with.
        upper, upper_path: the directory whose entries are taken.
    """

    lower: Node
    lower_path: str
    upper: Node
    upper_path: str


@dataclass(frozen=True)
class Change(Node):
    """What one operation makes of its parent: one layer of an image.

    Args:
        parent: what it starts from.
        epoch: the environment's SOURCE_DATE_EPOCH at that moment, in seconds; times in the layer are clamped to it.
    """

    parent: Node
    epoch: int | None


@dataclass(frozen=True)
class Mount:
    """Something put into a container for its execs only; it is never part of a layer.

    Args:
        kind: directory, file, cache, secret or temp.
        target: absolute path in the container.
        source: the node of a directory or file.
        path: the path in that node.
        name: the cache volume's key, or the secret's.
        sharing: SHARED, PRIVATE or LOCKED, of a cache volume.
        owner: `user[:group]`, by name or number; empty for root.
        mode: permission bits of a secret.
        size: bytes of a temporary file system.
        read_only: refuse writes.
    """

    kind: str
    target: str
    source: Node | None = None
    path: str = "/"
    name: str = ""
    sharing: str = "SHARED"
    owner: str = ""
    mode: int = 0o400
    size: int | None = None
    read_only: bool = False


@dataclass(frozen=True)
class Exec(Change):
    """A command that runs in a container: https://docs.dagger.io/api/reference, Container.withExec."""

    args: tuple[str, ...]
    env: tuple[str, ...]
    user: str
    workdir: str
    mounts: tuple[Mount, ...] = ()
    secret_env: tuple[tuple[str, str], ...] = ()
    stdin: str = ""
    redirect_stdin: str = ""
    redirect_stdout: str = ""
    redirect_stderr: str = ""
    expect: str = "SUCCESS"
    insecure_root: bool = False


@dataclass(frozen=True)
class Written(Change):
    """What an exec wrote below one of its mounts, over what was mounted.

    Args:
        by: the exec.
        number: which of its mounts.
    """

    by: Exec
    number: int


def writes_to(mount: Mount) -> bool:
    """Return whether what an exec writes below a mount is there for the next one."""
    return mount.kind in ("directory", "file") and not mount.read_only


@dataclass(frozen=True)
class Image:
    """An image of one platform.

    Args:
        root: its file system.
        config: canonical JSON of its configuration.
        annotations: of its manifest.
        created: ISO 8601.
    """

    root: Node
    config: str
    annotations: tuple[tuple[str, str], ...]
    created: str


@dataclass(frozen=True)
class Tarball(Node):
    """An OCI archive, at /image.tar in a file system of its own.

    Args:
        images: one a platform; more than one have an index.
        compression: for layers that are not packed yet.
        layer_format: the number of how layers are packed, so that an archive of another one is made anew.
    """

    images: tuple[Image, ...]
    compression: Literal["gzip", "zstd", "uncompressed"]
    layer_format: int


def parents(node: Node) -> list[Node]:
    """Return the node and what it was made from, step by step, the first layer first."""
    chain: list[Node] = [node]
    while isinstance(node, Change):
        node = node.parent
        chain.append(node)
    return chain[::-1]
