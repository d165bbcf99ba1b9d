"""What the API hands out: immutable values, each with an id that names its content."""

import posixpath
import re
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.engine.errors import BadInput
from pipeline.engine.graph import Change, Exec, Mount, Node, Scratch, digest
from pipeline.engine.oci import ImageConfig

VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True)
class Value:
    """Something with an id; the class's name is its GraphQL type."""

    @property
    def id(self) -> str:
        """Opaque text that `node(id:)` takes."""
        return f"{type(self).__name__}@{digest(self)}"


@dataclass(frozen=True)
class Container(Value):
    """A container: a file system, an image configuration, and what is added for its execs only.

    Args:
        root: its file system.
        config: the image configuration.
        mounts: in the order in which they were added.
        secret_env: names of variables with the names of their secrets.
        annotations: of the manifest.
        last: the newest exec, whose output `stdout` is.
        reference: what it was pulled as, until something is changed.
    """

    root: Node
    config: ImageConfig
    mounts: tuple[Mount, ...] = ()
    secret_env: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    last: Exec | None = None
    reference: str = ""

    @property
    def variables(self) -> dict[str, str]:
        """The environment."""
        return dict(entry.split("=", 1) for entry in self.config.env)

    @property
    def epoch(self) -> int | None:
        """SOURCE_DATE_EPOCH of the environment, in seconds."""
        text = self.variables.get("SOURCE_DATE_EPOCH", "")
        return int(text) if text.isdigit() else None

    def with_config(self, **changes: Any) -> "Container":
        """Return it with parts of the image configuration replaced."""
        return replace(self, config=replace(self.config, **changes), reference="")

    def with_root(self, node: Node) -> "Container":
        """Return it on another file system."""
        return replace(self, root=node, reference="")

    def path(self, path: str, expand: bool = False) -> str:
        """Return an absolute path: relative ones start in the working directory."""
        text = self.expanded(path) if expand else path
        return posixpath.normpath(posixpath.join("/", self.config.workdir or "/", text))

    def expanded(self, text: str) -> str:
        """Replace `$NAME` and `${NAME}` by the environment's values.

        Raises:
            BadInput: the variable is a secret.
        """
        secret = {name for name, _ in self.secret_env}

        def value(found: re.Match[str]) -> str:
            name = found[1] or found[2]
            if name in secret:
                raise BadInput(f"The variable '{name}' is a secret and cannot be expanded; read it inside the step.")
            return self.variables.get(name, "")

        return VARIABLE.sub(value, text)


@dataclass(frozen=True)
class Directory(Value):
    """A directory of a file system."""

    root: Node = field(default_factory=Scratch)
    path: str = "/"

    def at(self, path: str) -> str:
        """Return the path in the file system of a path in this directory."""
        return posixpath.normpath(posixpath.join(self.path, path.lstrip("/")))

    def with_change(self, change: Change) -> "Directory":
        """Return it after a change."""
        return replace(self, root=change)


@dataclass(frozen=True)
class File(Value):
    """A file of a file system."""

    root: Node
    path: str


@dataclass(frozen=True)
class Secret(Value):
    """A secret by name; its plaintext is only in the engine's memory."""

    name: str
    uri: str = ""


@dataclass(frozen=True)
class CacheVolume(Value):
    """A directory that outlives builds."""

    key: str


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
class Host(Value):
    """The machine of the client."""


@dataclass(frozen=True)
class CurrentModule(Value):
    """The module that asks; its working directory is the client's."""


@dataclass(frozen=True)
class Query(Value):
    """The root of the API."""
