"""Making file systems: each node once, in this process and between processes, as many at a time as there are cores."""

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pipeline.engine import overlay
from pipeline.engine.credentials import Credentials
from pipeline.engine.events import Events, step_name
from pipeline.engine.graph import Change, Exec, Node, Scratch, StandIn, Written, parents
from pipeline.engine.host import Host
from pipeline.engine.once import Once
from pipeline.engine.store import Store, disk_full_told, write_beside

Builder = Callable[["Snapshots", Any, Path], Awaitable[dict[str, Any]]]

#: What makes each kind of node; filled by `builds`, so that a new kind is one function.
BUILDERS: dict[type[Node], Builder] = {}


def builds(kind: type[Node]) -> Callable[[Builder], Builder]:
    """Register the function that makes one kind of node into `directory/diff` and returns what to keep of it."""

    def register(builder: Builder) -> Builder:
        BUILDERS[kind] = builder
        return builder

    return register


class Snapshots:
    """The file systems of one session.

    Args:
        store: where they are kept.
        host: what steps get from the host.
        events: where progress goes.
        cores: how many steps run at a time.
    """

    def __init__(self, store: Store, host: Host, events: Events, cores: int) -> None:
        self.store, self.host, self.events = store, host, events
        self.secrets: dict[str, bytes] = {}
        self.credentials = Credentials()
        self.slots = asyncio.Semaphore(cores)
        self._snapshots: Once[Path] = Once()
        self._views: Once[Path] = Once()

    async def made(self, node: Node) -> Path:
        """Return the snapshot's directory, making it and what it starts from if needed."""
        return await self._snapshots.get(node.key, lambda: self._made(node))

    async def _made(self, node: Node) -> Path:
        final = self._directory(node)
        if isinstance(node, Written):
            await asyncio.gather(self.made(node.parent), self.made(node.by))
            return final
        if not final.exists():
            if isinstance(node, Change):
                await self.made(node.parent)
            if isinstance(node, Exec):
                await asyncio.gather(*(self.made(mount.source) for mount in node.mounts if mount.source))
            async with self.store.lock(node.key, lambda: self.events.notice("Waiting for another build …")):
                if not final.exists():
                    return await self._make(node)
        if isinstance(node, (Exec, StandIn)):
            self.events.cached(name_of(node))
        return final

    async def _make(self, node: Node) -> Path:
        directory = self.store.temporary()
        try:
            with disk_full_told(self.store.root):
                (directory / "diff").mkdir()
                kept = await BUILDERS[type(node)](self, node, directory)
                write_beside(directory / "meta.json", json.dumps(kept))
                return self.store.commit(directory, node.key)
        except BaseException:
            shutil.rmtree(directory, ignore_errors=True)
            raise

    async def meta(self, node: Node) -> dict[str, Any]:
        """Return what the node's builder kept of it."""
        loaded: dict[str, Any] = json.loads(((await self.made(node)) / "meta.json").read_text())
        return loaded

    def layers(self, node: Node) -> list[Path]:
        """Return the directories that a made node's file system consists of, the lowest first."""
        return [self.layer(one) for one in parents(node) if not isinstance(one, Scratch) and self._adds(one)]

    def layer(self, node: Node) -> Path:
        """Return the directory of what a node itself changes."""
        return self._directory(node) / "diff"

    def _directory(self, node: Node) -> Path:
        if isinstance(node, Written):
            return self.store.snapshot(node.by.key) / f"mount-{node.number}"
        return self.store.snapshot(node.key)

    def _adds(self, node: Node) -> bool:
        """Whether a node has a layer: most execs write nothing below their mounts."""
        return not isinstance(node, Written) or any(self.layer(node).iterdir())

    async def view(self, node: Node) -> Path:
        """Return a read-only mount of a node's file system, kept until the session ends."""
        return await self._views.get(node.key, lambda: self._view(node))

    async def _view(self, node: Node) -> Path:
        await self.made(node)
        if not (layers := self.layers(node)):
            return self.store.root / "empty"
        at = self.store.temporary()
        await overlay.mount(self.store, layers, at)
        return at

    async def close(self) -> None:
        """Stop what still runs and take the views down."""
        await self._snapshots.close()
        for view in await self._views.close():
            await overlay.unmount(view)


def name_of(node: Node) -> str:
    """Return how a node is called in progress and in an image's history."""
    if isinstance(node, Exec):
        return step_name(node.args)
    if isinstance(node, StandIn):
        return f"bootstrap {node.release}"
    return f"{type(node).__name__} {getattr(node, 'path', '')}".rstrip()


@builds(Scratch)
async def scratch_made(snapshots: Snapshots, node: Scratch, directory: Path) -> dict[str, Any]:
    """Make the empty file system."""
    return {}
