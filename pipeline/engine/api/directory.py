"""Fields of Directory and File."""

import asyncio
import posixpath
import stat
from dataclasses import replace
from pathlib import Path

from pipeline.engine.api.fields import Engine, serves
from pipeline.engine.bases import atomic_copy, file_digest, tree_digest
from pipeline.engine.errors import BadInput
from pipeline.engine.graph import Copy, NewDirectory, NewFile, Remove, Symlink
from pipeline.engine.rootpath import resolve
from pipeline.engine.values import Container, Directory, File

#: As in Dagger: File.contents refuses more.
LARGEST_TEXT = 128 << 20


async def _at(engine: Engine, this: Directory | File, path: str = "") -> Path:
    where = this.at(path) if isinstance(this, Directory) else this.path
    found = resolve(await engine.snapshots.view(this.root), where)
    if not found.exists():
        raise BadInput(f"There is no '{where}'; name a file or a directory that exists.")
    return found


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
    return this.with_change(NewFile(this.root, None, this.at(path), contents, permissions))


@serves("Directory.withNewDirectory")
async def with_new_directory(engine: Engine, this: Directory, path: str, permissions: int = 0o755) -> Directory:
    # The schema says 420 (0o644), with which nobody could enter it; Dagger's engine adds the x bits likewise.
    return this.with_change(NewDirectory(this.root, None, this.at(path), permissions | 0o111))


@serves("Directory.withFile")
async def with_file(
    engine: Engine, this: Directory, path: str, source: str, permissions: int | None = None, owner: str = ""
) -> Directory:
    value: File = engine.value(source)
    at = this.at(path)
    if path.endswith("/"):
        at = f"{at}/{posixpath.basename(value.path)}"
    return this.with_change(Copy(this.root, None, at, value.root, value.path, permissions, owner))


@serves("Directory.withDirectory")
async def with_directory(engine: Engine, this: Directory, path: str, source: str, owner: str = "") -> Directory:
    value: Directory = engine.value(source)
    return this.with_change(Copy(this.root, None, this.at(path), value.root, value.path, None, owner))


@serves("Directory.withSymlink")
async def with_symlink(engine: Engine, this: Directory, target: str, link_name: str) -> Directory:
    return this.with_change(Symlink(this.root, None, target, this.at(link_name)))


@serves("Directory.withoutFile")
@serves("Directory.withoutDirectory")
async def without_path(engine: Engine, this: Directory, path: str) -> Directory:
    return this.with_change(Remove(this.root, None, (this.at(path),)))


@serves("Directory.entries")
async def entries(engine: Engine, this: Directory, path: str | None = None) -> list[str]:
    at = await _at(engine, this, path or "")
    return sorted(
        f"{entry.name}/" if entry.is_dir() and not entry.is_symlink() else entry.name for entry in at.iterdir()
    )


@serves("Directory.name")
async def directory_name(engine: Engine, this: Directory) -> str:
    return f"{posixpath.basename(this.path)}/"


@serves("Directory.exists")
async def directory_exists(
    engine: Engine,
    this: Directory,
    path: str,
    expected_type: str | None = None,
    do_not_follow_symlinks: bool = False,
) -> bool:
    root = await engine.snapshots.view(this.root)
    at = resolve(root, this.at(path), follow=not do_not_follow_symlinks)
    try:
        mode = at.lstat().st_mode
    except OSError:
        return False
    kinds = {"REGULAR_TYPE": stat.S_ISREG, "DIRECTORY_TYPE": stat.S_ISDIR, "SYMLINK_TYPE": stat.S_ISLNK}
    return expected_type is None or kinds[expected_type](mode)


@serves("Container.exists")
async def container_exists(
    engine: Engine,
    this: Container,
    path: str,
    expected_type: str | None = None,
    do_not_follow_symlinks: bool = False,
    expand: bool = False,
) -> bool:
    where = Directory(this.root)
    found: bool = await directory_exists(engine, where, this.path(path, expand), expected_type, do_not_follow_symlinks)
    return found


@serves("Directory.digest")
async def directory_digest(engine: Engine, this: Directory) -> str:
    return f"sha256:{await asyncio.to_thread(tree_digest, await _at(engine, this))}"


@serves("Directory.sync")
async def directory_sync(engine: Engine, this: Directory) -> str:
    await _at(engine, this)
    return engine.named(this)


@serves("Directory.export")
async def directory_export(engine: Engine, this: Directory, path: str) -> str:
    source, target = await _at(engine, this), engine.client / path
    await asyncio.to_thread(_export_tree, source, target)
    return str(target)


def _export_tree(source: Path, target: Path) -> None:
    for origin in sorted(source.rglob("*")):
        place = target / origin.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        if origin.is_symlink():
            place.unlink(missing_ok=True)
            place.symlink_to(origin.readlink())
        elif origin.is_dir():
            place.mkdir(exist_ok=True)
        else:
            atomic_copy(origin, place)


@serves("File.contents")
async def contents(engine: Engine, this: File) -> str:
    at = await _at(engine, this)
    if at.stat().st_size > LARGEST_TEXT:
        raise BadInput(f"'{this.path}' has {at.stat().st_size} bytes, too many for text; export it.")
    return at.read_text(errors="replace")


@serves("File.size")
async def size(engine: Engine, this: File) -> int:
    return (await _at(engine, this)).stat().st_size


@serves("File.name")
async def name(engine: Engine, this: File) -> str:
    return posixpath.basename(this.path)


@serves("File.digest")
async def digest(engine: Engine, this: File) -> str:
    return await asyncio.to_thread(file_digest, await _at(engine, this))


@serves("File.sync")
async def sync(engine: Engine, this: File) -> str:
    await _at(engine, this)
    return engine.named(this)


@serves("File.export")
async def export(engine: Engine, this: File, path: str, allow_parent_dir_path: bool = False) -> str:
    source, target = await _at(engine, this), engine.client / path
    if target.is_dir():
        if not allow_parent_dir_path:
            raise BadInput(f"'{path}' is a directory; give the path of a file.")
        target /= posixpath.basename(this.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(atomic_copy, source, target)
    return str(target)
