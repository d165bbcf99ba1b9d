"""Fields of File and Stat."""

import asyncio

from embedded_engine.api.fields import Engine, serves, serves_attributes
from embedded_engine.api.paths import at_path, stat_at
from embedded_engine.graph.changes import Copy
from embedded_engine.graph.nodes import Scratch
from embedded_engine.graph.nodes import digest as key_of
from embedded_engine.graph.values import File, Stat
from embedded_engine.host.errors import BadInput
from embedded_engine.make.bases import atomic_copy
from embedded_engine.make.output import LARGEST
from embedded_engine.store.survey import file_digest


@serves("File.contents")
async def contents(engine: Engine, this: File, offset_lines: int | None = None, limit_lines: int | None = None) -> str:
    at = await at_path(engine, this)
    if at.stat().st_size > LARGEST:
        raise BadInput(f"'{this.path}' has {at.stat().st_size} bytes, too many for text; export it.")
    text = at.read_text(errors="replace")
    if not offset_lines and limit_lines is None:
        return text
    begin = offset_lines or 0
    return "".join(text.splitlines(keepends=True)[begin : None if limit_lines is None else begin + limit_lines])


@serves("File.stat")
async def file_stat(engine: Engine, this: File) -> Stat:
    return await stat_at(engine, this.root, this.path)


@serves("File.withName")
async def with_name(engine: Engine, this: File, name: str) -> File:
    return _copied(this, name=name)


@serves("File.withTimestamps")
async def with_timestamps(engine: Engine, this: File, timestamp: int) -> File:
    return _copied(this, time=timestamp)


@serves("File.chown")
async def chown(engine: Engine, this: File, owner: str) -> File:
    return _copied(this, owner=owner)


def _copied(this: File, *, name: str = "", owner: str = "", time: int | None = None) -> File:
    path = f"/{name or this.base_name}"
    return File(Copy(Scratch(), None, path, this.root, this.path, owner=owner, time=time), path)


@serves("File.size")
async def size(engine: Engine, this: File) -> int:
    return (await at_path(engine, this)).stat().st_size


@serves("File.name")
async def name(engine: Engine, this: File) -> str:
    await at_path(engine, this)
    return this.base_name


@serves("File.digest")
async def digest(engine: Engine, this: File, exclude_metadata: bool = False) -> str:
    at = await at_path(engine, this)
    found = await asyncio.to_thread(file_digest, at)
    if exclude_metadata:
        return found
    status = at.stat()
    return f"sha256:{key_of([this.base_name, status.st_mode, status.st_uid, status.st_gid, found])}"


@serves("File.sync")
async def sync(engine: Engine, this: File) -> str:
    await at_path(engine, this)
    return engine.named(this)


@serves("File.export")
async def export(engine: Engine, this: File, path: str, allow_parent_dir_path: bool = False) -> str:
    source, target = await at_path(engine, this), engine.client / path
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(atomic_copy, source, target)
    elif allow_parent_dir_path:
        await asyncio.to_thread(atomic_copy, source, target / this.base_name)
    else:
        raise BadInput(f"'{path}' is a directory; give the path of a file.")
    return str(target)


serves_attributes(Stat, "name", "size", "permissions", "fileType")
