"""Names of file systems for people: a kind and a name."""

import json

from embedded_engine.graph.nodes import Exec, HostTree, Image, ImageRoot, Node, StandIn, Tarball
from embedded_engine.host.events import step_name

#: The name of each kind of node; the other nodes are changes of files.
KINDS = {Exec: "step", ImageRoot: "base", StandIn: "base", Tarball: "archive", HostTree: "host files"}


def kind_of(node: Node) -> str:
    """Return the name of a node's kind."""
    return KINDS.get(type(node), "files")


def name_of(node: Node) -> str:
    """Return a node's name in progress and in an image's history."""
    if isinstance(node, Exec):
        return step_name(node.args)
    if isinstance(node, StandIn):
        return f"bootstrap {node.release}"
    if isinstance(node, Tarball):
        return ", ".join(map(_title, node.images))
    return f"{type(node).__name__} {getattr(node, 'path', '')}".rstrip()


def _title(image: Image) -> str:
    labels = json.loads(image.config).get("config", {}).get("Labels", {})
    title, version = (labels.get(f"org.opencontainers.image.{word}", "") for word in ("title", "version"))
    return " ".join(filter(None, (title or name_of(image.root), version)))
