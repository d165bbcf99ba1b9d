"""The file systems of a chain, as values: each has inputs and a change.

A node is immutable and evaluated only when something reads it (make/evaluator.py). Its key is the digest of its
canonical form with the keys of its inputs, so equal work has an equal key in every process and on every day.
Proxy settings, certificates, the contents of cache volumes and the plaintext of secrets are not part of the key.
"""

import hashlib
import json
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property
from typing import Any, Literal


def canonical(value: Any) -> Any:
    """Return the canonical form of a value: the key of a node, the type and fields of a dataclass."""
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
    """A file system that the engine can make."""

    @cached_property
    def key(self) -> str:
        """The hexadecimal SHA-256 that names the file system in the store."""
        return digest([type(self).__name__, *_parts(self)])


@dataclass(frozen=True)
class Scratch(Node):
    """The empty file system."""


@dataclass(frozen=True)
class ImageRoot(Node):
    """The root file system of an image whose blobs are in the store.

    Args:
        manifest: the digest of the image's manifest, `sha256:…`.
        platform: the platform chosen from an index, if it is not this machine's.
    """

    manifest: str
    platform: str = ""


@dataclass(frozen=True)
class StandIn(Node):
    """A root file system bootstrapped from the machine's own apt sources.

    Args:
        release: the distribution and its version, `debian-12`.
        suite: the distribution's code name.
        sources: the machine's apt sources, in the one-line format.
        epoch: the latest time of its files, in seconds since 1970.
    """

    release: str
    suite: str
    sources: str
    epoch: int | None


@dataclass(frozen=True)
class HostTree(Node):
    """Files copied from the host; the key follows from their content.

    Args:
        content: the hexadecimal SHA-256 of names, modes and contents.
    """

    content: str


@dataclass(frozen=True)
class Download(Node):
    """A file fetched over HTTP, at /NAME.

    Args:
        url: the URL, which is not part of the key, since the checksum identifies the file.
        checksum: `sha256:…` of the content.
        name: the file's name.
        mode: permission bits.
    """

    url: str = field(metadata={"in_key": False})
    checksum: str
    name: str
    mode: int


@dataclass(frozen=True)
class Difference(Node):
    """The entries of a directory that another directory lacks or has with other content.

    Args:
        lower, lower_path: the directory to compare with.
        upper, upper_path: the directory that provides the entries.
    """

    lower: Node
    lower_path: str
    upper: Node
    upper_path: str


@dataclass(frozen=True)
class Change(Node):
    """The result of one operation on its parent: one layer of an image.

    Args:
        parent: the node that it starts from.
        epoch: the environment's SOURCE_DATE_EPOCH in seconds, the latest time in the layer.
    """

    parent: Node
    epoch: int | None


@dataclass(frozen=True)
class Mount:
    """A mount in a container, which only execs see and which is never part of a layer.

    Args:
        kind: directory, file, cache, secret or temp.
        target: the absolute path in the container.
        source: the node of a directory or file.
        path: the path in that node.
        name: the name of the cache volume or secret.
        sharing: SHARED, PRIVATE or LOCKED, for a cache volume.
        owner: `user[:group]`, by name or number; empty for root.
        mode: the permission bits of a secret.
        size: the size in bytes of a temporary file system.
        read_only: whether writes are refused.
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
    """The content of a mount after an exec has written to it.

    Args:
        by: the exec.
        number: the index of the mount.
    """

    by: Exec
    number: int


def writes_to(mount: Mount) -> bool:
    """Return whether the next exec sees what an exec writes to a mount."""
    return mount.kind in ("directory", "file") and not mount.read_only


@dataclass(frozen=True)
class Image:
    """An image of one platform.

    Args:
        root: the image's file system.
        config: the configuration as canonical JSON.
        annotations: the annotations of the manifest.
        created: the time of creation, ISO 8601.
    """

    root: Node
    config: str
    annotations: tuple[tuple[str, str], ...]
    created: str


@dataclass(frozen=True)
class Tarball(Node):
    """An OCI archive, at /image.tar in a file system of its own.

    Args:
        images: the images, one for each platform; several get an index.
        compression: the compression of layers that are not packed yet.
        layer_format: the version of the packing, so that a new version makes new archives.
    """

    images: tuple[Image, ...]
    compression: Literal["gzip", "zstd", "uncompressed"]
    layer_format: int


def parents(node: Node) -> list[Node]:
    """Return the node and its ancestors, the first layer first."""
    chain: list[Node] = [node]
    while isinstance(node, Change):
        node = node.parent
        chain.append(node)
    return chain[::-1]
