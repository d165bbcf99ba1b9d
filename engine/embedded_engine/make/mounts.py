"""The mounts of an exec, and the traces that they leave."""

import asyncio
import contextlib
import os
import posixpath
import shutil
import stat
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embedded_engine.graph.nodes import Exec, Mount, writes_to
from embedded_engine.host import syscalls
from embedded_engine.host.beneath import pinned
from embedded_engine.host.errors import BadInput
from embedded_engine.host.rootpath import is_directory, lies_in, missing, mkdirs, resolve
from embedded_engine.host.settings import GUEST
from embedded_engine.host.users import look_up
from embedded_engine.make import overlay
from embedded_engine.make.bundle import HOSTNAME, bind, tmpfs
from embedded_engine.make.copying import copy_tree
from embedded_engine.make.evaluator import Evaluator


@dataclass(frozen=True)
class Stub:
    """A mount point that the runtime creates.

    Args:
        root: a directory on the host that outlives the exec.
        path: the file or directory in it.
    """

    root: Path
    path: Path


@dataclass
class MountTable:
    """The mounts of one exec.

    Args:
        root: the container's root directory on the host.
        entries: the mounts in the runtime's form.
        places: the path on the host of each target; None for memory.
        read_only: the targets that refuse writes.
    """

    root: Path
    entries: list[dict[str, Any]] = field(default_factory=list)
    places: dict[str, Path | None] = field(default_factory=dict)
    read_only: set[str] = field(default_factory=set)
    _above_stubs: dict[Path, os.stat_result] = field(default_factory=dict)

    def add(self, entry: dict[str, Any], place: Path | None) -> None:
        """Add one."""
        target = entry["destination"]
        self.entries.append(entry)
        self.places[target] = place
        if "ro" in entry["options"]:
            self.read_only.add(target)

    def over(self, path: str) -> str | None:
        """Return the target of the mount that covers a path of the container, if there is one."""
        held = [target for target in self.places if lies_in(path, target)]
        return max(held, key=len, default=None)

    def on_host(self, path: str, *, write: bool = False) -> tuple[Path, str]:
        """Return the place of a container's path: a directory on the host that outlives the exec, and the path in it.

        Raises:
            BadInput: the path is in memory, or cannot be written.
        """
        target = self.over(path)
        if target is None:
            return self.root, path
        place = self.places[target]
        if place is None or (write and target in self.read_only):
            how = "in memory" if place is None else "read-only"
            raise BadInput(f"'{path}' is {how} there, so that no redirection can use it; give another path.")
        return (place.parent, place.name) if path == target else (place, posixpath.relpath(path, target))

    @contextlib.contextmanager
    def for_output(self, path: str) -> Iterator[Path]:
        """Yield a path on the host for a file of the container that the engine writes, in an existing directory.

        Raises:
            BadInput: the file cannot be written.
        """
        root, inside = self.on_host(path, write=True)
        found = resolve(root, inside)
        with contextlib.ExitStack() as stack:
            try:
                target = stack.enter_context(pinned(root, found.parent.relative_to(root))) / found.name
                usable = not is_directory(target)
            except (OSError, ValueError):
                usable = False
            if not usable:
                raise BadInput(f"Output cannot go to '{path}'; give the path of a file in a directory that exists.")
            yield target

    def stubs(self, upper: Path) -> list[Stub]:
        """Return the mount points that the runtime will create, outermost first.

        Args:
            upper: the directory with the changes below the root so far.
        """
        made: list[Stub] = []
        for target in [*self.places, "/proc", "/dev", "/sys"]:
            above = self.over(posixpath.dirname(target))
            place = self.root if above is None else self.places[above]
            if place is not None and place.is_dir() and above not in self.read_only:
                absent = missing(place, target if above is None else posixpath.relpath(target, above))
                made += (Stub(place, path.relative_to(place)) for path in absent)
        for inside in {above for stub in made if stub.root == self.root for above in stub.path.parents}:
            if inside.name and is_directory(self.root / inside) and not os.path.lexists(upper / inside):
                self._above_stubs[inside] = (self.root / inside).lstat()
        return made

    def tidy(self, upper: Path) -> None:
        """Remove the directories from a layer that exist only as mount points or their parents."""
        for inside, before in sorted(self._above_stubs.items(), reverse=True):
            # It does not exist, is not empty, or the step put a link on the path to it.
            with contextlib.suppress(OSError), pinned(upper, inside.parent) as directory:
                _remove_unchanged(directory / inside.name, before)


def _remove_unchanged(path: Path, before: os.stat_result) -> None:
    now = path.lstat()
    if [now.st_mode, now.st_uid, now.st_gid] == [before.st_mode, before.st_uid, before.st_gid] and not any(
        name.endswith("overlay.opaque") for name in os.listxattr(path, follow_symlinks=False)
    ):
        path.rmdir()


@contextlib.asynccontextmanager
async def mounted(evaluator: Evaluator, node: Exec, directory: Path, root: Path) -> AsyncIterator[MountTable]:
    """Prepare the mounts, and clean up after them.

    The files that an exec writes to a mounted directory stay beside its layer, in mount-NUMBER (`graph.Written`).
    """
    scratch = directory / "mounts"
    scratch.mkdir()
    mounts = MountTable(root)
    async with contextlib.AsyncExitStack() as stack:
        # In memory only, and gone with the mount: secrets, and the host's settings, which may contain some.
        syscalls.mount("tmpfs", scratch, "mode=0711")
        stack.callback(scratch.rmdir)
        stack.callback(overlay.unmount, scratch)
        _add_hosts(mounts, evaluator, scratch)
        for number, mount in sorted(enumerate(node.mounts), key=lambda one: one[1].target.count("/")):
            if writes_to(mount):
                merged = await stack.enter_async_context(_writable(evaluator, mount, directory / f"mount-{number}"))
                place = _source(merged, mount)
                mounts.add(bind(place, mount.target), place)
            else:
                mounts.add(*await _mount(evaluator, mount, scratch / str(number), root))
        if mounts.over(node.workdir) is None:
            mkdirs(root, node.workdir)
        stack.callback(_remove, mounts.stubs(directory / "diff"))
        yield mounts


@contextlib.asynccontextmanager
async def _writable(evaluator: Evaluator, mount: Mount, own: Path) -> AsyncIterator[Path]:
    assert mount.source  # noqa: S101  directories and files have one
    layers = evaluator.layers(mount.source)
    (own / "diff").mkdir(parents=True)
    async with overlay.writable(evaluator.store, layers, own) as merged:
        yield merged


def _source(root: Path, mount: Mount) -> Path:
    found = resolve(root, mount.path)
    if not found.exists() or found.is_dir() != (mount.kind == "directory"):
        raise BadInput(f"There is no {mount.kind} '{mount.path}' to mount on {mount.target}; name one that exists.")
    return found


def _remove(stubs: list[Stub]) -> None:
    for stub in reversed(stubs):
        # It does not exist, is not empty, or the step put a link on the path to it.
        with contextlib.suppress(OSError), pinned(stub.root, stub.path.parent) as directory:
            path = directory / stub.path.name
            status = path.lstat()
            if stat.S_ISDIR(status.st_mode):
                path.rmdir()
            elif stat.S_ISREG(status.st_mode) and not status.st_size:
                path.unlink()


def _add_hosts(mounts: MountTable, evaluator: Evaluator, scratch: Path) -> None:
    hosts = scratch / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {HOSTNAME}\n::1 localhost ip6-localhost ip6-loopback\n")
    mounts.add(bind(hosts, "/etc/hosts", read_only=True), hosts)
    if (found := Path("/etc/resolv.conf")).exists():
        # A copy, because systemd mounts the file with flags that a user namespace may not change.
        shutil.copyfile(found, scratch / "resolv.conf")
        mounts.add(bind(scratch / "resolv.conf", "/etc/resolv.conf", read_only=True), scratch / "resolv.conf")
    evaluator.host.write(scratch / "host")
    if any((scratch / "host").iterdir()):
        mounts.add(bind(scratch / "host", GUEST, read_only=True), scratch / "host")


async def _mount(evaluator: Evaluator, mount: Mount, scratch: Path, root: Path) -> tuple[dict[str, Any], Path | None]:
    if mount.kind == "temp":
        return tmpfs(mount.target, mount.size), None
    if mount.kind == "cache":
        volume = await _cache(evaluator, mount, root)
        return bind(volume, mount.target), volume
    if mount.kind == "secret":
        scratch.write_bytes(evaluator.secrets[mount.name])
        user = look_up(root, mount.owner)
        scratch.chmod(mount.mode)
        os.chown(scratch, user.uid, user.gid)
        return bind(scratch, mount.target, read_only=True), scratch
    assert mount.source  # noqa: S101  directories have one
    source = _source(await evaluator.view(mount.source), mount)
    return bind(source, mount.target, read_only=True), source


async def _cache(evaluator: Evaluator, mount: Mount, root: Path) -> Path:
    """Return a cache volume's directory; a new one gets its source's content and its owner."""
    volume = evaluator.store.cache(mount.name, mount.target)
    async with evaluator.store.lock(f"fill-{mount.name}"):
        if any(volume.iterdir()):
            return volume
        user = look_up(root, mount.owner) if mount.owner else None
        owner = (user.uid, user.gid) if user else None
        if mount.source:
            source = resolve(await evaluator.view(mount.source), mount.path)
            await asyncio.to_thread(_fill, volume, source, evaluator.store.temporary(), owner)
        if owner:
            os.chown(volume, *owner)
    return volume


def _fill(volume: Path, source: Path, beside: Path, owner: tuple[int, int] | None) -> None:
    """Copy beside the volume and move in, because a step that mounts it may write to it at the same time."""
    copy_tree(source, beside, owner=owner)
    for each in beside.iterdir():
        with contextlib.suppress(FileExistsError, NotADirectoryError, IsADirectoryError):  # the step's own file stays
            each.rename(volume / each.name)
