"""Fields of Container that add something for its execs only: mounts and secrets."""

from dataclasses import replace

from embedded_engine.api.fields import Engine, serves
from embedded_engine.graph.changes import Copy
from embedded_engine.graph.nodes import Mount, Node, Scratch
from embedded_engine.graph.values import CacheVolume, Container, Directory, File, Secret
from embedded_engine.host.errors import BadInput
from embedded_engine.host.rootpath import lies_in


def _mounted(this: Container, mount: Mount) -> Container:
    """Add a mount, which hides earlier mounts at and below its path."""
    if lies_in(mount.target, "/proc"):
        raise BadInput(f"'{mount.target}' is the kernel's, so that nothing can be mounted there; choose another place.")
    kept = (old for old in this.mounts if not lies_in(old.target, mount.target))
    return replace(this, mounts=(*kept, mount))


def _owned(this: Container, source: Directory | File, owner: str) -> tuple[Node, str]:
    """Return the mounted node, owned by the given user of the container if there is one."""
    if not owner:
        return source.root, source.path
    path = f"/{source.base_name}" if isinstance(source, File) else "/"
    return Copy(Scratch(), None, path, source.root, source.path, owner=owner, users=this.root), path


@serves("Container.withMountedDirectory")
async def with_mounted_directory(
    engine: Engine,
    this: Container,
    path: str,
    source: str,
    owner: str = "",
    read_only: bool = False,
    expand: bool = False,
) -> Container:
    node, inside = _owned(this, engine.value(source), owner)
    return _mounted(this, Mount("directory", this.path(path, expand), node, inside, read_only=read_only))


@serves("Container.withMountedFile")
async def with_mounted_file(
    engine: Engine, this: Container, path: str, source: str, owner: str = "", expand: bool = False
) -> Container:
    node, inside = _owned(this, engine.value(source), owner)
    return _mounted(this, Mount("file", this.path(path, expand), node, inside))


@serves("Container.withMountedCache")
async def with_mounted_cache(
    engine: Engine,
    this: Container,
    path: str,
    cache: str,
    source: str | None = None,
    sharing: str = "SHARED",
    owner: str = "",
    expand: bool = False,
) -> Container:
    value: CacheVolume = engine.value(cache)
    begins: Directory = (engine.value(source) if source else value.source) or Directory()
    mount = Mount(
        "cache",
        this.path(path, expand),
        begins.root if begins != Directory() else None,
        begins.path,
        name=value.key,
        sharing=sharing if sharing != "SHARED" else value.sharing,
        owner=owner or value.owner,
    )
    return _mounted(this, mount)


@serves("Container.withMountedTemp")
async def with_mounted_temp(
    engine: Engine, this: Container, path: str, size: int | None = None, expand: bool = False
) -> Container:
    if size is not None and size < 1:
        raise BadInput(f"{size} is not a size for a temporary file system; give a number of bytes.")
    return _mounted(this, Mount("temp", this.path(path, expand), size=size))


@serves("Container.withMountedSecret")
async def with_mounted_secret(
    engine: Engine,
    this: Container,
    path: str,
    source: str,
    owner: str = "",
    mode: int = 0o400,
    expand: bool = False,
) -> Container:
    value: Secret = engine.value(source)
    return _mounted(this, Mount("secret", this.path(path, expand), name=value.name, owner=owner, mode=mode))


@serves("Container.withoutMount")
async def without_mount(engine: Engine, this: Container, path: str, expand: bool = False) -> Container:
    target = this.path(path, expand)
    return replace(this, mounts=tuple(mount for mount in this.mounts if mount.target != target))


@serves("Container.mounts")
async def mounts(engine: Engine, this: Container) -> list[str]:
    return [mount.target for mount in this.mounts]


@serves("Container.withSecretVariable")
async def with_secret_variable(engine: Engine, this: Container, name: str, secret: str) -> Container:
    value: Secret = engine.value(secret)
    kept = tuple(pair for pair in this.secret_env if pair[0] != name)
    return replace(this, secret_env=(*kept, (name, value.name)))


@serves("Container.withoutSecretVariable")
async def without_secret_variable(engine: Engine, this: Container, name: str) -> Container:
    return replace(this, secret_env=tuple(pair for pair in this.secret_env if pair[0] != name))
