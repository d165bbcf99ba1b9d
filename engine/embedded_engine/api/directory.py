"""Fields of Directory."""

import asyncio
import os
import posixpath
from dataclasses import replace
from pathlib import Path

from embedded_engine.api.fields import Engine, serves
from embedded_engine.api.paths import at_path, exists_at, mode_of, stat_at
from embedded_engine.graph.changes import Chown, Copy, NewDirectory, NewFile, Remove, Symlink
from embedded_engine.graph.nodes import Difference, Scratch
from embedded_engine.graph.patterns import Selection, glob
from embedded_engine.graph.values import Directory, File, Stat
from embedded_engine.host.beneath import remove_tree
from embedded_engine.host.errors import BadInput
from embedded_engine.host.rootpath import is_directory, walk
from embedded_engine.make.bases import atomic_copy, tree_digest


@serves("Directory.directory")
async def subdirectory(engine: Engine, this: Directory, path: str) -> Directory:
    return replace(this, path=this.at(path))


@serves("Directory.file")
async def file(engine: Engine, this: Directory, path: str) -> File:
    return File(this.root, this.at(path))


@serves("Directory.withNewFile")
async def with_new_file(
    engine: Engine, this: Directory, path: str, contents: str, permissions: int = 0o644
) -> Directory:
    return this.with_change(NewFile(this.root, None, this.at(path), contents, mode_of(permissions, 0o644)))


@serves("Directory.withNewDirectory")
async def with_new_directory(engine: Engine, this: Directory, path: str, permissions: int = 0o644) -> Directory:
    if f"{posixpath.normpath(path)}/".startswith("../"):
        raise BadInput(f"'{path}' lies outside the directory; give a path in it.")
    return this.with_change(NewDirectory(this.root, None, this.at(path), mode_of(permissions, 0o755)))


@serves("Directory.withFile")
async def with_file(
    engine: Engine, this: Directory, path: str, source: str, permissions: int | None = None, owner: str = ""
) -> Directory:
    value: File = engine.value(source)
    at = this.at(f"{path}{value.base_name}" if path.endswith("/") else path)
    return this.with_change(Copy(this.root, None, at, value.root, value.path, permissions, owner))


@serves("Directory.withFiles")
async def with_files(
    engine: Engine, this: Directory, path: str, sources: list[str], permissions: int | None = None
) -> Directory:
    for source in sources:
        value: File = engine.value(source)
        at = this.at(f"{path}/{value.base_name}")
        this = this.with_change(Copy(this.root, None, at, value.root, value.path, permissions))
    return this


@serves("Directory.withDirectory")
async def with_directory(
    engine: Engine,
    this: Directory,
    path: str,
    source: str,
    exclude: list[str] | None = None,
    include: list[str] | None = None,
    gitignore: bool = False,
    owner: str = "",
    permissions: int | None = None,
) -> Directory:
    value: Directory = engine.value(source)
    selection = Selection.of(include, exclude, gitignore)
    change = Copy(this.root, None, this.at(path), value.root, value.path, permissions, owner, selection)
    return this.with_change(change)


@serves("Directory.withSymlink")
async def with_symlink(engine: Engine, this: Directory, target: str, link_name: str) -> Directory:
    return this.with_change(Symlink(this.root, None, target, this.at(link_name)))


@serves("Directory.withoutFile")
@serves("Directory.withoutDirectory")
async def without_path(engine: Engine, this: Directory, path: str) -> Directory:
    return this.with_change(Remove(this.root, None, (this.at(path),)))


@serves("Directory.withoutFiles")
async def without_files(engine: Engine, this: Directory, paths: list[str]) -> Directory:
    return this.with_change(Remove(this.root, None, tuple(map(this.at, paths))))


@serves("Directory.entries")
async def entries(engine: Engine, this: Directory, path: str | None = None) -> list[str]:
    at = await at_path(engine, this, path or "")
    return sorted(f"{entry.name}/" if is_directory(entry) else entry.name for entry in at.iterdir())


@serves("Directory.name")
async def directory_name(engine: Engine, this: Directory) -> str:
    await at_path(engine, this)
    return f"{posixpath.basename(this.path)}/"


@serves("Directory.exists")
async def exists(
    engine: Engine,
    this: Directory,
    path: str,
    expected_type: str | None = None,
    do_not_follow_symlinks: bool = False,
) -> bool:
    return await exists_at(engine, this.root, this.at(path), expected_type, not do_not_follow_symlinks)


@serves("Directory.stat")
async def directory_stat(engine: Engine, this: Directory, path: str, do_not_follow_symlinks: bool = False) -> Stat:
    return await stat_at(engine, this.root, this.at(path), not do_not_follow_symlinks)


@serves("Directory.glob")
async def directory_glob(engine: Engine, this: Directory, pattern: str) -> list[str]:
    return await asyncio.to_thread(glob, await at_path(engine, this), pattern)


@serves("Directory.filter")
async def directory_filter(
    engine: Engine,
    this: Directory,
    exclude: list[str] | None = None,
    include: list[str] | None = None,
    gitignore: bool = False,
) -> Directory:
    selection = Selection.of(include, exclude, gitignore)
    return Directory(Copy(Scratch(), None, "/", this.root, this.path, selection=selection))


@serves("Directory.diff")
async def directory_diff(engine: Engine, this: Directory, other: str) -> Directory:
    upper: Directory = engine.value(other)
    return Directory(Difference(this.root, this.path, upper.root, upper.path))


@serves("Directory.withTimestamps")
async def directory_with_timestamps(engine: Engine, this: Directory, timestamp: int) -> Directory:
    return Directory(Copy(Scratch(), None, "/", this.root, this.path, time=timestamp))


@serves("Directory.chown")
async def directory_chown(engine: Engine, this: Directory, path: str, owner: str) -> Directory:
    return this.with_change(Chown(this.root, None, this.at(path), owner))


@serves("Directory.digest")
async def directory_digest(engine: Engine, this: Directory) -> str:
    return f"sha256:{await asyncio.to_thread(tree_digest, await at_path(engine, this))}"


@serves("Directory.sync")
async def directory_sync(engine: Engine, this: Directory) -> str:
    await at_path(engine, this)
    return engine.named(this)


@serves("Directory.export")
async def directory_export(engine: Engine, this: Directory, path: str, wipe: bool = False) -> str:
    source, target = await at_path(engine, this), engine.client / path
    await asyncio.to_thread(_export_tree, source, target, wipe)
    return str(target)


def _export_tree(source: Path, target: Path, wipe: bool) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for origin in sorted(walk(source)):
        place = target / origin.relative_to(source)
        if place.is_symlink() or (place.exists() and place.is_dir() != is_directory(origin)):
            _remove(place)
        if origin.is_symlink():
            place.symlink_to(origin.readlink())
        elif is_directory(origin):
            place.mkdir(exist_ok=True)
        elif origin.is_file():
            atomic_copy(origin, place)
    if wipe:
        # Last, so that a failed copy loses nothing.
        for place in sorted(walk(target), reverse=True):
            if not os.path.lexists(source / place.relative_to(target)):
                _remove(place)


def _remove(path: Path) -> None:
    if is_directory(path):
        remove_tree(path)
    else:
        path.unlink()
