"""The values that the API returns: immutable, each with an id that follows from its content."""

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from embedded_engine.graph.nodes import Change, Exec, Mount, Node, Scratch, digest
from embedded_engine.host.bounded import whole_number
from embedded_engine.host.errors import BadInput
from embedded_engine.host.rootpath import joined, lies_in
from embedded_engine.oci.documents import ImageConfig

#: Seconds since 1970 of the first time that RFC 3339 cannot express.
YEAR_10000 = 253_402_300_800

VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True)
class Value:
    """A value with an id; the name of its class is its GraphQL type."""

    @property
    def id(self) -> str:
        """The opaque text that `node(id:)` accepts."""
        return f"{type(self).__name__}@{digest(self)}"


@dataclass(frozen=True)
class Container(Value):
    """A container: a file system, an image configuration, and additions that only execs see.

    Args:
        root: the file system.
        config: the image configuration.
        mounts: the mounts in the order of their addition.
        secret_env: the names of variables with the names of their secrets.
        annotations: the annotations of the manifest.
        last: the latest exec, whose output `stdout` returns.
        reference: the reference that it was pulled from, until it changes.
        ports: the descriptions of exposed ports.
    """

    root: Node
    config: ImageConfig
    mounts: tuple[Mount, ...] = ()
    secret_env: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    last: Exec | None = None
    reference: str = ""
    ports: tuple["Port", ...] = ()

    @property
    def variables(self) -> dict[str, str]:
        """The environment."""
        return dict(entry.split("=", 1) for entry in self.config.env)

    @property
    def epoch(self) -> int | None:
        """SOURCE_DATE_EPOCH of the environment, in seconds."""
        return whole_number(self.variables.get("SOURCE_DATE_EPOCH", ""), YEAR_10000)

    def with_config(self, **changes: Any) -> "Container":
        """Return the container with parts of the image configuration replaced."""
        return replace(self, config=replace(self.config, **changes), reference="")

    def with_root(self, node: Node) -> "Container":
        """Return the container with another file system."""
        return replace(self, root=node, reference="")

    def located(self, path: str) -> tuple[Node, str]:
        """Return the file system of an absolute path, the root or a mount, and the path in it.

        Raises:
            BadInput: the path is in a cache volume or in a temporary file system.
        """
        mount = self._mount_at(path)
        if mount is None:
            return self.root, path
        if mount.source is None or mount.kind == "cache":
            raise BadInput(f"'{path}' lies in a {mount.kind} mount, which only an exec can read; copy it out in one.")
        return mount.source, joined(mount.path, posixpath.relpath(path, mount.target))

    def changed(self, path: str, change: Callable[[Node, str], Change]) -> "Container":
        """Return the container after a change at an absolute path, in its root or in a mount.

        Args:
            path: the path to change.
            change: makes the change, given a file system and the path in it.
        """
        node, inside = self.located(path)
        mount = self._mount_at(path)
        if mount is None:
            return self.with_root(change(node, inside))
        changed = replace(mount, source=change(node, inside))
        return replace(self, mounts=tuple(changed if one is mount else one for one in self.mounts))

    def _mount_at(self, path: str) -> Mount | None:
        above = [m for m in self.mounts if m.kind != "secret" and lies_in(path, m.target)]
        return max(above, key=lambda mount: len(mount.target), default=None)

    def path(self, path: str, expand: bool = False) -> str:
        """Return an absolute path; a relative one starts in the working directory."""
        text = self.expanded(path) if expand else path
        return joined("/", self.config.workdir or "/", text)

    def expanded(self, text: str) -> str:
        """Replace `$NAME` and `${NAME}` by the environment's values.

        Raises:
            BadInput: the variable is a secret.
        """
        secrets = dict(self.secret_env)

        def value(found: re.Match[str]) -> str:
            name = found[1] or found[2]
            if name in secrets:
                raise BadInput(f"The variable '{name}' is a secret and cannot be expanded; read it inside the step.")
            return self.variables.get(name, "")

        return VARIABLE.sub(value, text)


@dataclass(frozen=True)
class Directory(Value):
    """A directory of a file system."""

    root: Node = field(default_factory=Scratch)
    path: str = "/"

    def at(self, path: str) -> str:
        """Return the file system's path of a path in this directory."""
        return joined(self.path, path.lstrip("/"))

    def with_change(self, change: Change) -> "Directory":
        """Return the directory after a change."""
        return replace(self, root=change)


@dataclass(frozen=True)
class File(Value):
    """A file of a file system."""

    root: Node
    path: str

    @property
    def base_name(self) -> str:
        """The last part of the file's path."""
        return posixpath.basename(self.path)


@dataclass(frozen=True)
class Secret(Value):
    """A secret by name; only the engine's memory has its plaintext."""

    name: str
    uri: str = ""


@dataclass(frozen=True)
class CacheVolume(Value):
    """A directory that outlives builds.

    Args:
        key: the volume's name.
        source: the content of a new volume.
        sharing: SHARED, PRIVATE or LOCKED, unless a mount overrides it.
        owner: `user[:group]`, unless a mount overrides it.
    """

    key: str
    source: "Directory | None" = None
    sharing: str = "SHARED"
    owner: str = ""


@dataclass(frozen=True)
class EnvVariable(Value):
    """One variable of an environment."""

    name: str
    value: str


@dataclass(frozen=True)
class Label(Value):
    """One label of an image."""

    name: str
    value: str


@dataclass(frozen=True)
class Port(Value):
    """One exposed port; the protocol is TCP or UDP."""

    port: int
    protocol: str = "TCP"
    description: str | None = None
    experimental_skip_healthcheck: bool = False

    @property
    def name(self) -> str:
        """The port's name in an image's configuration, `80/tcp`."""
        return f"{self.port}/{self.protocol.lower()}"


@dataclass(frozen=True)
class Stat(Value):
    """The status of a file; the type is REGULAR, DIRECTORY, SYMLINK or UNKNOWN, the size in bytes."""

    name: str
    size: int
    permissions: int
    file_type: str


@dataclass(frozen=True)
class Host(Value):
    """The client's machine."""


@dataclass(frozen=True)
class CurrentModule(Value):
    """The calling module; its working directory is the client's."""


@dataclass(frozen=True)
class Query(Value):
    """The root of the API."""
