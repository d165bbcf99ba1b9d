"""Makes file systems: each node once, in this process and between processes, as many at a time as there are cores."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from embedded_engine.graph.names import kind_of, name_of
from embedded_engine.graph.nodes import Change, Exec, Node, Scratch, StandIn, Written, parents
from embedded_engine.host.credentials import Credentials
from embedded_engine.host.disk import disk_full_told
from embedded_engine.host.errors import DiskFull, StoreDamaged
from embedded_engine.host.events import Events
from embedded_engine.host.once import Once
from embedded_engine.host.settings import HostSettings
from embedded_engine.make import overlay
from embedded_engine.make.confinement import Confinement
from embedded_engine.store.integrity import Sound
from embedded_engine.store.prune import prune
from embedded_engine.store.snapshot import Damaged, Snapshot, Stale
from embedded_engine.store.store import Store
from embedded_engine.store.survey import survey

T = TypeVar("T")
Make = Callable[[Path], Awaitable[Mapping[str, Any]]]
Builder = Callable[["Evaluator", Any, Path], Awaitable[dict[str, Any]]]

#: How often the removal of a damaged snapshot is tried, a twentieth of a second apart.
TRIES = 200

#: The maker of each kind of node; `builds` registers it, so a new kind is one function.
BUILDERS: dict[type[Node], Builder] = {}


def builds(kind: type[Node]) -> Callable[[Builder], Builder]:
    """Register the function that makes one kind of node in `directory/diff` and returns the data to keep about it."""

    def register(builder: Builder) -> Builder:
        BUILDERS[kind] = builder
        return builder

    return register


class Evaluator:
    """The file systems of one session.

    Args:
        store: the store.
        host: the host's contribution to steps.
        events: receives progress.
        cores: the number of steps that run at a time.
        confinement: isolates steps from the host.
    """

    def __init__(self, store: Store, host: HostSettings, events: Events, cores: int, confinement: Confinement) -> None:
        self.store, self.host, self.events, self.confinement = store, host, events, confinement
        self.secrets: dict[str, bytes] = {}
        self.credentials = Credentials()
        self.slots = asyncio.Semaphore(cores)
        self._snapshots: Once[Snapshot] = Once()
        self.sound = Sound(store)
        #: The keys of the snapshots that the session uses.
        self._in_use: set[str] = set()
        self._views: Once[Path] = Once()

    async def made(self, node: Node) -> Path:
        """Return the snapshot's directory, and make it and its inputs if needed."""
        return (await self._snapshot(node)).directory

    async def meta(self, node: Node) -> Mapping[str, Any]:
        """Return the data that the node's maker kept about it."""
        return (await self._snapshot(node)).kept

    async def _snapshot(self, node: Node) -> Snapshot:
        return await self._snapshots.get(node.key, lambda: self._found_or_made(node))

    async def _found_or_made(self, node: Node) -> Snapshot:
        if isinstance(node, Written):
            made_on, by = await asyncio.gather(self._made_on(node), self._snapshot(node.by))
            return replace(by, id=f"{made_on}.{by.id}", directory=self._directory(node))
        made_on = await self._made_on(node)
        found = await self.found(node, made_on)
        if not found:
            if isinstance(node, Exec):
                await asyncio.gather(*(self.made(mount.source) for mount in node.mounts if mount.source))
            make = partial(BUILDERS[type(node)], self, node)
            found = await self._found_or(make, node, made_on, name_of(node))
        if isinstance(node, (Exec, StandIn)) and found.id not in self.sound.made:
            self.events.cached(name_of(node))
        return found

    async def _made_on(self, node: Node) -> str:
        if not isinstance(node, Change) or isinstance(node.parent, Scratch):
            return ""
        return (await self._snapshot(node.parent)).id

    async def found(self, node: Node, made_on: str = "") -> Snapshot | None:
        """Return a node's snapshot for new work to start from, if the store has it undamaged.

        Args:
            node: the node.
            made_on: the id of the snapshot that it must be made on.
        """
        try:
            return await self._sound(node, made_on)
        except Stale:
            if node.key not in self._in_use:
                # Another session may have found the same, and only a session that holds it alone can remove it.
                self.store.leave(node.key)
            return None

    async def _sound(self, node: Node, made_on: str) -> Snapshot | None:
        """Return a node's snapshot, if it exists.

        Raises:
            Stale: the snapshot is damaged or outdated.
        """
        found = self.store.found(node.key, made_on)
        if found:
            blobs = [self.sound.blob(layer["digest"], layer["size"]) for layer in found.kept.get("layers", ())]
            if not all(await asyncio.gather(self.sound.snapshot(found), *blobs)):
                raise Damaged
            self._in_use.add(node.key)
        return found

    async def _found_or(self, make: Make, node: Node, made_on: str, name: str) -> Snapshot:
        """Return a node's snapshot, made if the store has none; a stale one is removed first.

        Nothing in this session depends on a stale one, because a snapshot is examined before it is used.
        """
        async with self.waiting(node.key):
            try:
                found = await self._sound(node, made_on)
            except Stale as stale:
                found = None
                await self._drop(node)
                if isinstance(stale, Damaged):
                    self.events.notice(f"What the store kept of '{name_of(node)}' was damaged; it is made again.")
            return found or await self._make(node, made_on, make, name)

    async def _drop(self, node: Node) -> None:
        for _ in range(TRIES):
            if self.store.drop(node.key):
                return
            await asyncio.sleep(0.05)  # another session is examining it, and will find the same
        raise StoreDamaged(
            f"What the store {self.store.root} keeps of '{name_of(node)}' is damaged, and another build uses it; "
            "wait for that to end, and run again."
        )

    def waiting(self, name: str) -> AbstractAsyncContextManager[None]:
        """Hold a lock between processes, and report it if this process must wait."""
        return self.store.lock(name, lambda: self.events.notice("Waiting for another build …"))

    async def take_in(self, node: Node, name: str, make: Make) -> None:
        """Make a file system from outside, unless the store has all of it.

        Args:
            node: the node with its key.
            name: its name for people.
            make: fills a directory's `diff`, and returns the data to keep.
        """
        if not await self.found(node):
            await self._found_or(make, node, "", name)

    async def _make(self, node: Node, made_on: str, make: Make, name: str) -> Snapshot:
        async def made() -> Snapshot:
            directory = self.store.temporary()
            try:
                (directory / "diff").mkdir()
                kept = await make(directory)
                found = await asyncio.to_thread(survey, directory)
                snapshot = Snapshot(secrets.token_hex(8), made_on, kind_of(node), name, found.size, found.facts, kept)
                self.sound.made.add(snapshot.id)
                committed = await self.store.commit(directory, node.key, snapshot)
                self._in_use.add(node.key)
                return committed
            finally:
                self.store.discard(directory)

        return await self.with_room(made)

    async def with_room(self, make: Callable[[], Awaitable[T]]) -> T:
        """Make something; if the disk is full, remove unused snapshots and try again.

        Raises:
            DiskFull: the space does not suffice.
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
        """Return the layers' directories of a made node, the lowest first."""
        return [self.layer(one) for one in parents(node) if self.adds(one)]

    def layer(self, node: Node) -> Path:
        """Return the directory with a node's own changes."""
        return self._directory(node) / "diff"

    def _directory(self, node: Node) -> Path:
        if isinstance(node, Written):
            return self.store.snapshot(node.by.key) / f"mount-{node.number}"
        return self.store.snapshot(node.key)

    def adds(self, node: Node) -> bool:
        """Return whether a made node has a layer; most execs write nothing to their mounts."""
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
        """Stop everything that still runs, and unmount the views."""
        await self._snapshots.close()
        for view in await self._views.close():
            overlay.unmount(view)
