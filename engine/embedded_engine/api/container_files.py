"""Fields of Container that read or change its files."""

import posixpath
from collections.abc import Callable

from embedded_engine.api.fields import Engine, serves
from embedded_engine.api.paths import exists_at, mode_of, stat_at
from embedded_engine.graph.changes import Copy, NewFile, Remove, Symlink
from embedded_engine.graph.nodes import Change, Node, Scratch
from embedded_engine.graph.patterns import EVERYTHING, Selection
from embedded_engine.graph.values import Container, Directory, File, Stat


@serves("Container.withNewFile")
async def with_new_file(
    engine: Engine,
    this: Container,
    path: str,
    contents: str,
    permissions: int = 0o644,
    owner: str = "",
    expand: bool = False,
) -> Container:
    def change(node: Node, at: str) -> Change:
        return NewFile(node, this.epoch, at, contents, mode_of(permissions, 0o644), owner)

    return this.changed(this.path(path, expand), change)


@serves("Container.withFile")
async def with_file(
    engine: Engine,
    this: Container,
    path: str,
    source: str,
    permissions: int | None = None,
    owner: str = "",
    expand: bool = False,
) -> Container:
    file: File = engine.value(source)
    at = this.path(path, expand)
    return this.changed(
        posixpath.join(at, file.base_name) if path.endswith("/") else at, _copy(this, file, permissions, owner)
    )


@serves("Container.withFiles")
async def with_files(
    engine: Engine,
    this: Container,
    path: str,
    sources: list[str],
    permissions: int | None = None,
    owner: str = "",
    expand: bool = False,
) -> Container:
    at = this.path(path, expand)
    for source in sources:
        file: File = engine.value(source)
        this = this.changed(posixpath.join(at, file.base_name), _copy(this, file, permissions, owner))
    return this


@serves("Container.withDirectory")
async def with_directory(
    engine: Engine,
    this: Container,
    path: str,
    source: str,
    exclude: list[str] | None = None,
    include: list[str] | None = None,
    gitignore: bool = False,
    owner: str = "",
    expand: bool = False,
    permissions: int | None = None,
) -> Container:
    directory: Directory = engine.value(source)
    selection = Selection.of(include, exclude, gitignore)
    # Dagger ignores permissions here, too: core/container.go, WithDirectory.
    return this.changed(this.path(path, expand), _copy(this, directory, None, owner, selection))


def _copy(
    this: Container,
    source: File | Directory,
    mode: int | None,
    owner: str,
    selection: Selection = EVERYTHING,
) -> Callable[[Node, str], Change]:
    return lambda node, at: Copy(node, this.epoch, at, source.root, source.path, mode, owner, selection)


@serves("Container.withSymlink")
async def with_symlink(engine: Engine, this: Container, target: str, link_name: str, expand: bool = False) -> Container:
    to = this.expanded(target) if expand else target
    return this.changed(this.path(link_name, expand), lambda node, at: Symlink(node, this.epoch, to, at))


@serves("Container.withoutFile")
@serves("Container.withoutDirectory")
async def without_path(engine: Engine, this: Container, path: str, expand: bool = False) -> Container:
    return this.changed(this.path(path, expand), lambda node, at: Remove(node, this.epoch, (at,)))


@serves("Container.withoutFiles")
async def without_files(engine: Engine, this: Container, paths: list[str], expand: bool = False) -> Container:
    return this.with_root(Remove(this.root, this.epoch, tuple(this.path(path, expand) for path in paths)))


@serves("Container.rootfs")
async def rootfs(engine: Engine, this: Container) -> Directory:
    return Directory(this.root)


@serves("Container.withRootfs")
async def with_rootfs(engine: Engine, this: Container, directory: str) -> Container:
    source: Directory = engine.value(directory)
    root: Node = source.root
    if source.path != "/":
        root = Copy(Scratch(), this.epoch, "/", source.root, source.path)
    return this.with_root(root)


@serves("Container.directory")
async def directory(engine: Engine, this: Container, path: str, expand: bool = False) -> Directory:
    return Directory(*this.located(this.path(path, expand)))


@serves("Container.file")
async def file(engine: Engine, this: Container, path: str, expand: bool = False) -> File:
    return File(*this.located(this.path(path, expand)))


@serves("Container.exists")
async def exists(
    engine: Engine,
    this: Container,
    path: str,
    expected_type: str | None = None,
    do_not_follow_symlinks: bool = False,
    expand: bool = False,
) -> bool:
    node, at = this.located(this.path(path, expand))
    return await exists_at(engine, node, at, expected_type, not do_not_follow_symlinks)


@serves("Container.stat")
async def stat(engine: Engine, this: Container, path: str, do_not_follow_symlinks: bool = False) -> Stat:
    node, at = this.located(this.path(path))
    return await stat_at(engine, node, at, not do_not_follow_symlinks)
