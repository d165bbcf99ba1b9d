"""Making file systems: each node once, in this process and between processes, as many at a time as there are cores."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pipeline.engine import overlay
from pipeline.engine.credentials import Credentials
from pipeline.engine.disk import disk_full_told
from pipeline.engine.errors import DiskFull, StoreDamaged
from pipeline.engine.events import Events
from pipeline.engine.graph import (
    Change,
    Exec,
    Node,
    Scratch,
    StandIn,
    Written,
    parents,
)
from pipeline.engine.host import Host
from pipeline.engine.names import kind_of, name_of
from pipeline.engine.once import Once
from pipeline.engine.prune import prune
from pipeline.engine.snapshot import Damaged, Snapshot
from pipeline.engine.sound import Sound
from pipeline.engine.store import Store
from pipeline.engine.survey import survey

T = TypeVar("T")
Make = Callable[[Path], Awaitable[Mapping[str, Any]]]
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
        self._snapshots: Once[Snapshot] = Once()
        self.sound = Sound(store)
        self._views: Once[Path] = Once()

    async def made(self, node: Node) -> Path:
        """Return the snapshot's directory, making it and what it starts from if needed."""
        return (await self._snapshot(node)).directory

    async def meta(self, node: Node) -> Mapping[str, Any]:
        """Return what the node's builder kept of it."""
        return (await self._snapshot(node)).kept

    async def ready(self, node: Node) -> Snapshot:
        """Return a snapshot for new work to start from: each of its layers is what was recorded of it.

        Raises:
            StoreDamaged: a layer is damaged, and another build uses it.
        """
        for one in parents(node):
            source = one.by if isinstance(one, Written) else one
            if not await self.sound.snapshot(await self._snapshot(source)):
                self._drop(source)
                return await self.ready(node)
        return await self._snapshot(node)

    async def _snapshot(self, node: Node) -> Snapshot:
        return await self._snapshots.get(node.key, lambda: self._found_or_made(node))

    async def _found_or_made(self, node: Node) -> Snapshot:
        if isinstance(node, Written):
            made_on, by = await asyncio.gather(self._made_on(node), self._snapshot(node.by))
            return replace(by, id=f"{made_on}.{by.id}", directory=self._directory(node))
        found = self.found(node, await self._made_on(node))
        if not found:
            if isinstance(node, Change):
                await self.ready(node.parent)
            if isinstance(node, Exec):
                await asyncio.gather(*(self.made(mount.source) for mount in node.mounts if mount.source))
            async with self.waiting(node.key):
                made_on = await self._made_on(node)
                found = self.found(node, made_on)
                if not found:
                    return await self._make(node, made_on, partial(BUILDERS[type(node)], self, node), name_of(node))
        if isinstance(node, (Exec, StandIn)):
            self.events.cached(name_of(node))
        return found

    async def _made_on(self, node: Node) -> str:
        if not isinstance(node, Change) or isinstance(node.parent, Scratch):
            return ""
        return (await self._snapshot(node.parent)).id

    def found(self, node: Node, made_on: str = "") -> Snapshot | None:
        """Return a node's snapshot if the store has it; a damaged one is taken away, and that is said."""
        try:
            return self.store.found(node.key, made_on)
        except Damaged:
            self._drop(node)
            return None

    def _drop(self, node: Node) -> None:
        if not self.store.drop(node.key):
            raise StoreDamaged(
                f"What the store {self.store.root} keeps of '{name_of(node)}' is damaged, and another build uses it; "
                "wait for that to end, and run again."
            )
        self.events.notice(f"What the store kept of '{name_of(node)}' was damaged; it is made again.")
        # What was made on it will be found to be so when it is looked up again.
        self._snapshots.forget()

    def waiting(self, name: str) -> AbstractAsyncContextManager[None]:
        """Hold a lock between processes, and say so where one has to wait for it."""
        return self.store.lock(name, lambda: self.events.notice("Waiting for another build …"))

    async def take_in(self, node: Node, name: str, make: Make) -> None:
        """Make a file system that comes from outside, unless the store has all of it.

        Args:
            node: names it.
            name: what it is, for people.
            make: fills a directory's `diff`, and returns what is to be kept of it.
        """
        if not await self._has(node):
            async with self.waiting(node.key):
                if not await self._has(node):
                    await self._make(node, "", make, name)

    async def _has(self, node: Node) -> bool:
        found = self.found(node)
        if found is None:
            return False
        blobs = (self.store.has_blob(layer["digest"], layer["size"]) for layer in found.kept.get("layers", ()))
        whole = all(blobs) and await self.sound.snapshot(found)
        if not whole:
            self._drop(node)
        return whole

    async def _make(self, node: Node, made_on: str, make: Make, name: str) -> Snapshot:
        async def made() -> Snapshot:
            directory = self.store.temporary()
            try:
                (directory / "diff").mkdir()
                kept = await make(directory)
                found = await asyncio.to_thread(survey, directory)
                snapshot = Snapshot(secrets.token_hex(8), made_on, kind_of(node), name, found.size, found.facts, kept)
                self.sound.made.add(snapshot.id)
                return self.store.commit(directory, node.key, snapshot)
            finally:
                self.store.discard(directory)

        return await self.with_room(made)

    async def with_room(self, make: Callable[[], Awaitable[T]]) -> T:
        """Make something; when the disk is full, once more without what no build uses.

        Raises:
            DiskFull: that was not enough.
        """
        try:
            with disk_full_told(self.store.root):
                return await make()
        except DiskFull:
            await self.store.empty_trash()
            pruned = await prune(self.store)
            if not pruned.count:
                raise
        self.events.notice(
            f"No space was left: {pruned.size / 10**6:.1f} MB that no build uses are removed from the store, "
            "and the build goes on."
        )
        with disk_full_told(self.store.root):
            return await make()

    def layers(self, node: Node) -> list[Path]:
        """Return the directories that a made node's file system consists of, the lowest first."""
        return [self.layer(one) for one in parents(node) if self.adds(one)]

    def layer(self, node: Node) -> Path:
        """Return the directory of what a node itself changes."""
        return self._directory(node) / "diff"

    def _directory(self, node: Node) -> Path:
        if isinstance(node, Written):
            return self.store.snapshot(node.by.key) / f"mount-{node.number}"
        return self.store.snapshot(node.key)

    def adds(self, node: Node) -> bool:
        """Return whether a made node has a layer: most execs write nothing below their mounts."""
        return not isinstance(node, Scratch) and (not isinstance(node, Written) or any(self.layer(node).iterdir()))

    async def view(self, node: Node) -> Path:
        """Return a read-only mount of a node's file system, kept until the session ends."""
        return await self._views.get(node.key, lambda: self._view(node))

    async def _view(self, node: Node) -> Path:
        await self.made(node)
        if not (layers := self.layers(node)):
            return self.store.root / "empty"
        at = self.store.temporary()
        overlay.mount(self.store, layers, at)
        return at

    async def close(self) -> None:
        """Stop what still runs and take the views down."""
        await self._snapshots.close()
        for view in await self._views.close():
            overlay.unmount(view)


@builds(Scratch)
async def scratch_made(snapshots: Snapshots, node: Scratch, directory: Path) -> dict[str, Any]:
    """Make the empty file system."""
    return {}
