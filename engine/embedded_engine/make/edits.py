"""The operations that change files without running anything."""

import asyncio
import errno
import os
from pathlib import Path
from typing import Any

from embedded_engine.graph.changes import Chown, Copy, NewDirectory, NewFile, Remove, Symlink
from embedded_engine.graph.names import name_of
from embedded_engine.graph.nodes import Change, Node, Scratch
from embedded_engine.graph.patterns import matching
from embedded_engine.host.errors import BadInput
from embedded_engine.host.rootpath import is_directory, mkdirs, resolve, walk
from embedded_engine.host.users import look_up
from embedded_engine.make import overlay
from embedded_engine.make.copying import copy_tree, remove_path
from embedded_engine.make.evaluator import Evaluator, builds

#: The kernel's error numbers for impossible paths.
MISTAKES = (errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG, errno.ENOTDIR)


async def _changed(evaluator: Evaluator, node: Change, directory: Path, change: Any) -> dict[str, Any]:
    async with overlay.writable(evaluator.store, evaluator.layers(node.parent), directory) as root:
        try:
            await asyncio.to_thread(change, root)
        except OSError as error:
            if error.errno not in MISTAKES:
                raise
            raise BadInput(f"{name_of(node)} cannot be done: {error.strerror}; give another path.") from error
    return {}


@builds(Scratch)
async def scratch_made(evaluator: Evaluator, node: Scratch, directory: Path) -> dict[str, Any]:
    """Make the empty file system."""
    return {}


@builds(NewFile)
async def new_file(evaluator: Evaluator, node: NewFile, directory: Path) -> dict[str, Any]:
    """Write a file."""

    def change(root: Path) -> None:
        target = _place(root, node.path)
        target.unlink(missing_ok=True)
        target.write_text(node.contents)
        target.chmod(node.mode)
        _own(root, target, node.owner)

    return await _changed(evaluator, node, directory, change)


@builds(NewDirectory)
async def new_directory(evaluator: Evaluator, node: NewDirectory, directory: Path) -> dict[str, Any]:
    """Make an empty directory."""
    return await _changed(evaluator, node, directory, lambda root: mkdirs(root, node.path, node.mode))


@builds(Symlink)
async def symlink(evaluator: Evaluator, node: Symlink, directory: Path) -> dict[str, Any]:
    """Make a symbolic link."""
    if not node.target:
        raise BadInput(f"The link '{node.path}' has no target; give a path.")
    return await _changed(
        evaluator, node, directory, lambda root: _place(root, node.path, follow=False).symlink_to(node.target)
    )


@builds(Remove)
async def remove(evaluator: Evaluator, node: Remove, directory: Path) -> dict[str, Any]:
    """Remove files and directories."""

    def change(root: Path) -> None:
        for path in (one for given in node.paths for one in matching(root, given)):
            target = resolve(root, path, follow=False)
            for each in root.iterdir() if target == root else [target]:
                remove_path(each)

    return await _changed(evaluator, node, directory, change)


@builds(Copy)
async def copy(evaluator: Evaluator, node: Copy, directory: Path) -> dict[str, Any]:
    """Copy a file, or the contents of a directory."""
    origin = await evaluator.view(node.source)
    named = await evaluator.view(node.users) if node.users else None
    shared: tuple[Path, Path] | None = None

    def change(root: Path) -> None:
        nonlocal shared
        source = resolve(origin, node.source_path)
        if not source.exists():
            raise BadInput(f"There is no '{node.source_path}' to copy; name a file or a directory that exists.")
        target = mkdirs(root, node.path) if source.is_dir() else _file_place(root, node.path, source.name)
        if source.is_file() and _can_share(node):
            remove_path(target)
            target.touch()
            shared = source, target.relative_to(root)
            return
        user = look_up(named or root, node.owner) if node.owner else None
        wanted = node.selection.paths(source) if source.is_dir() else None
        copy_tree(source, target, owner=(user.uid, user.gid) if user else None, mode=node.mode, wanted=wanted)
        if node.time is not None:
            _date(target, node.time)

    made = await _changed(evaluator, node, directory, change)
    if shared:
        source, inside = shared
        # Overlayfs shows the topmost file, and links need its own name.
        top = evaluator.layers(node.source)[-1] / source.relative_to(origin)
        await asyncio.to_thread(_share, top, source, directory / "diff" / inside)
    return made


@builds(Chown)
async def chown(evaluator: Evaluator, node: Chown, directory: Path) -> dict[str, Any]:
    """Change the owner of files."""

    def change(root: Path) -> None:
        user = look_up(root, node.owner)
        target = resolve(root, node.path)
        if not target.exists():
            raise BadInput(f"There is no '{node.path}' to give away; name a file or a directory that exists.")
        for path in (target, *(walk(target) if target.is_dir() else ())):
            os.chown(path, user.uid, user.gid, follow_symlinks=False)

    return await _changed(evaluator, node, directory, change)


def _can_share(node: Copy) -> bool:
    # In the root of a container, a file with several names would be packed again by each step that touches it.
    start: Node = node
    while isinstance(start, Change):
        start = start.parent
    return isinstance(start, Scratch) and not node.owner and node.mode is None and node.time is None


def _share(top: Path, source: Path, target: Path) -> None:
    """Give a file another name in a new snapshot, because snapshots never change; copy it where that is impossible."""
    target.unlink()
    try:
        os.link(top, target, follow_symlinks=False)
    except OSError:
        copy_tree(source, target)


def _date(target: Path, seconds: int) -> None:
    for path in (target, *(walk(target) if target.is_dir() else ())):
        os.utime(path, (seconds, seconds), follow_symlinks=False)


def _file_place(root: Path, path: str, name: str) -> Path:
    """Return the path of a copied file: in an existing directory, it keeps its own name."""
    return _place(root, f"{path}/{name}" if resolve(root, path).is_dir() else path)


def _place(root: Path, path: str, *, follow: bool = True) -> Path:
    target = resolve(root, path, follow=follow)
    if target == root:
        raise BadInput(f"'{path}' names no file; give a path below the root directory.")
    mkdirs(root, "/" + str(target.parent.relative_to(root)))
    if is_directory(target):
        raise BadInput(f"'{path}' is a directory already; name the file inside it.")
    return target


def _own(root: Path, target: Path, owner: str) -> None:
    if owner:
        user = look_up(root, owner)
        os.chown(target, user.uid, user.gid)
