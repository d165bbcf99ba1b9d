"""Fields of Container that read or change its file system, run commands, and make archives."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

from pipeline.engine.api.fields import Engine, serves
from pipeline.engine.bases import atomic_copy, from_archive, from_registry
from pipeline.engine.blob import Compression
from pipeline.engine.bootstrap import SCHEME, stand_in
from pipeline.engine.errors import BadInput
from pipeline.engine.graph import Copy, Exec, NewFile, Node, Remove, Scratch, Symlink, Tarball
from pipeline.engine.oci import ImageConfig
from pipeline.engine.pack import created_of
from pipeline.engine.rootpath import resolve
from pipeline.engine.values import Container, Directory, File


@serves("Container.from")
async def from_(engine: Engine, this: Container, address: str) -> Container:
    if address.startswith(SCHEME):
        root = await engine.once((address, str(this.epoch)), lambda: stand_in(address, this.epoch))
        return replace(this, root=root, reference=f"{SCHEME}{root.release}")
    base = await engine.once(("from", address), lambda: from_registry(engine.snapshots, address))
    return replace(this, root=base.root, config=_merged(this.config, base.config), reference=base.reference)


@serves("Container.import")
async def import_(engine: Engine, this: Container, source: str, tag: str = "") -> Container:
    file: File = engine.value(source)
    at = resolve(await engine.snapshots.view(file.root), file.path)
    base = await engine.once(("import", str(at), tag), lambda: from_archive(engine.snapshots, at, tag))
    return replace(this, root=base.root, config=_merged(this.config, base.config), reference="")


def _merged(old: ImageConfig, new: ImageConfig) -> ImageConfig:
    """Merge as Dagger's `from` does: variables and labels over what is there, the rest replaced."""
    env = dict(entry.split("=", 1) for entry in (*old.env, *new.env))
    labels = dict(old.labels) | dict(new.labels)
    return replace(
        new,
        env=tuple(f"{name}={value}" for name, value in env.items()),
        labels=tuple(sorted(labels.items())),
    )


@serves("Container.imageRef")
async def image_ref(engine: Engine, this: Container) -> str:
    if not this.reference:
        raise BadInput("An image reference is to be had immediately after `from` only; ask for it before any change.")
    return this.reference


@serves("Container.withExec")
async def with_exec(
    engine: Engine,
    this: Container,
    args: list[str],
    use_entrypoint: bool = False,
    stdin: str = "",
    redirect_stdout: str = "",
    redirect_stderr: str = "",
    expect: str = "SUCCESS",
    insecure_root_capabilities: bool = False,
    expand: bool = False,
    no_init: bool = False,
) -> Container:
    command = tuple(this.expanded(arg) for arg in args) if expand else tuple(args)
    command = command or this.config.cmd or ()
    if use_entrypoint:
        command = (*(this.config.entrypoint or ()), *command)
    node = Exec(
        parent=this.root,
        epoch=this.epoch,
        args=command,
        env=this.config.env,
        user=this.config.user,
        workdir=this.config.workdir or "/",
        mounts=this.mounts,
        secret_env=this.secret_env,
        stdin=stdin,
        redirect_stdout=this.path(redirect_stdout) if redirect_stdout else "",
        redirect_stderr=this.path(redirect_stderr) if redirect_stderr else "",
        expect=expect,
        insecure_root=insecure_root_capabilities,
    )
    return replace(this, root=node, last=node, reference="")


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
    return this.with_root(NewFile(this.root, this.epoch, this.path(path, expand), contents, permissions, owner))


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
    if path.endswith("/"):
        at = f"{at}/{Path(file.path).name}"
    return this.with_root(Copy(this.root, this.epoch, at, file.root, file.path, permissions, owner))


@serves("Container.withDirectory")
async def with_directory(
    engine: Engine, this: Container, path: str, source: str, owner: str = "", expand: bool = False
) -> Container:
    directory: Directory = engine.value(source)
    return this.with_root(
        Copy(this.root, this.epoch, this.path(path, expand), directory.root, directory.path, None, owner)
    )


@serves("Container.withSymlink")
async def with_symlink(engine: Engine, this: Container, target: str, link_name: str, expand: bool = False) -> Container:
    return this.with_root(Symlink(this.root, this.epoch, target, this.path(link_name, expand)))


@serves("Container.withoutFile")
@serves("Container.withoutDirectory")
async def without_path(engine: Engine, this: Container, path: str, expand: bool = False) -> Container:
    return this.with_root(Remove(this.root, this.epoch, (this.path(path, expand),)))


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
    return Directory(this.root, this.path(path, expand))


@serves("Container.file")
async def file(engine: Engine, this: Container, path: str, expand: bool = False) -> File:
    return File(this.root, this.path(path, expand))


@serves("Container.sync")
async def sync(engine: Engine, this: Container) -> str:
    await engine.snapshots.made(this.root)
    return engine.named(this)


async def _last(engine: Engine, this: Container) -> Path:
    if this.last is None:
        raise BadInput("No command has been executed in this container; add withExec before asking for its output.")
    return await engine.snapshots.made(this.last)


@serves("Container.stdout")
async def stdout(engine: Engine, this: Container) -> str:
    return ((await _last(engine, this)) / "stdout").read_text(errors="replace")


@serves("Container.stderr")
async def stderr(engine: Engine, this: Container) -> str:
    return ((await _last(engine, this)) / "stderr").read_text(errors="replace")


@serves("Container.exitCode")
async def exit_code(engine: Engine, this: Container) -> int:
    code: int = json.loads(((await _last(engine, this)) / "meta.json").read_text())["exit_code"]
    return code


@serves("Container.asTarball")
async def as_tarball(engine: Engine, this: Container, forced_compression: str | None = None) -> File:
    return File(_tarball(this, forced_compression), "/image.tar")


@serves("Container.export")
async def export(
    engine: Engine, this: Container, path: str, forced_compression: str | None = None, expand: bool = False
) -> str:
    made = await engine.snapshots.made(_tarball(this, forced_compression))
    target = engine.client / path
    target.parent.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(atomic_copy, made / "diff/image.tar", target)
    return str(target)


def _tarball(this: Container, forced_compression: str | None) -> Tarball:
    compression: Compression = "zstd" if (forced_compression or "").lower() == "zstd" else "gzip"
    config = json.dumps(this.config.to_json(), sort_keys=True)
    return Tarball(this.root, config, this.annotations, compression, created_of(this.root))
